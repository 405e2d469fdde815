import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);
import{a as e}from"./chunk-HG37E2QO.js";function o(t){return{size:t.byteLength,async*open(){yield t}}}e(o,"bytesBody");export{o as a};
