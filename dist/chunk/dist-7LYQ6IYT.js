import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);
import{c as a}from"./chunk-LBI2MJ7R.js";import"./chunk-HG37E2QO.js";export default a();
