import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);
import{a as e}from"./chunk-HG37E2QO.js";var o="-----BEGIN",r="LS0tLS1CRUdJT";function s(t){return t.startsWith(r)||t.length>255}e(s,"mayBeBase64");function c(t){let n=t.trim();return n.includes(o)||n.includes(`
`)||s(n)}e(c,"mayBeKey");export{o as a,s as b,c};
