import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);
var o="application/vnd.dev.sigstore.bundle.v0.3+json",n="application/vnd.dev.sigstore.bundle",t="dev.sigstore.bundle.predicateType",e="application/vnd.cncf.notary.signature",p="application/jose+json";export{o as a,n as b,t as c,e as d,p as e};
