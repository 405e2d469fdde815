import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);
import{a}from"./chunk-IDO77W6R.js";import"./chunk-HG37E2QO.js";export default a();
