import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);
import{a as r}from"./chunk-HG37E2QO.js";var i=class{static{r(this,"Once")}#t=new Map;run(t,o){let s=this.#t.get(t);if(s)return s;let e=o();return this.#t.set(t,e),e.catch(()=>{this.#t.get(t)===e&&this.#t.delete(t)}),e}forget(t){this.#t.delete(t)}};export{i as a};
