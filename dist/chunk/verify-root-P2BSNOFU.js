import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);
import{a}from"./chunk-C7HO7W63.js";import"./chunk-JG3I46UM.js";import"./chunk-DA3ODDG4.js";import"./chunk-A64KCG4V.js";import"./chunk-HG37E2QO.js";export{a as verifyRoot};
