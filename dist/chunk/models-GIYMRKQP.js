import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);
import{f as a}from"./chunk-4HQJQO2O.js";import"./chunk-DVRQZ76D.js";import"./chunk-HG37E2QO.js";export default a();
