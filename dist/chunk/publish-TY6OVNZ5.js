import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);
import{a}from"./chunk-GGSOYPGM.js";import"./chunk-XK3MTKLC.js";import"./chunk-TGIJPDOF.js";import"./chunk-HG37E2QO.js";export{a as publish};
