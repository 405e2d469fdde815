import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);
import{h as o}from"./chunk-4LI42ME3.js";import{a as e}from"./chunk-HG37E2QO.js";async function n(t,i,s){try{return await t.resolve(i,s)}catch(r){if(o(r))return;throw r}}e(n,"resolveIfThere");export{n as a};
