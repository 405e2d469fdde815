import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);
import{f as a}from"./chunk-FRMXEXES.js";import"./chunk-3GV6Y455.js";import"./chunk-HG37E2QO.js";export default a();
