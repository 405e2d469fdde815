import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);
import{a as r}from"./chunk-HG37E2QO.js";function o(e){return"referrers"in e&&typeof e.referrers=="function"}r(o,"listsReferrers");export{o as a};
