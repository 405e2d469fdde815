import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);
import{a}from"./chunk-UFTU7555.js";import"./chunk-JKKNWIDA.js";import"./chunk-ZO4UPUCE.js";import"./chunk-NWE3UPNV.js";import"./chunk-4LI42ME3.js";import"./chunk-HG37E2QO.js";export{a as verifyRoot};
