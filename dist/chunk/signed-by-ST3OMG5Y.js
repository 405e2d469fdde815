import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);
import{d as a,e as b,f as c}from"./chunk-XUV4X4JA.js";import"./chunk-O4PJEQ6K.js";import"./chunk-QT7GSQZD.js";import"./chunk-4LI42ME3.js";import"./chunk-HG37E2QO.js";export{b as expectAnnotations,a as expectSigner,c as whoText};
