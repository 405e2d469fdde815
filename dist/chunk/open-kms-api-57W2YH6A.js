import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);
import{a as s}from"./chunk-HG37E2QO.js";function o(p){return async t=>{process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED??="true";let{awsKmsApi:i}=await import("./kms-LNPQJF6N.js");return i(t,p)}}s(o,"kmsApis");export{o as kmsApis};
