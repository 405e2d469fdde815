import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);
import{a,b,c}from"./chunk-HL4GG6FA.js";import"./chunk-MKO4GWJF.js";import"./chunk-W2ZN3CUB.js";import"./chunk-LUFEZ5XC.js";import"./chunk-A64KCG4V.js";import"./chunk-HG37E2QO.js";export{b as expectAnnotations,a as expectSigner,c as whoText};
