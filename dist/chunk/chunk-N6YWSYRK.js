import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);
import{a as r}from"./chunk-HG37E2QO.js";function e(n,t){let i=n.length;for(;i>0&&n.charAt(i-1)===t;)i--;return n.slice(0,i)}r(e,"withoutTrailing");export{e as a};
