// Command ocireg PORT serves cuelabs.dev/go/oci/ociregistry on 127.0.0.1:PORT. It keeps everything in memory.
//
// It is an implementation of the specification that shares no code with the others, and writes empty lists as null.
package main

import (
	"log"
	"net/http"
	"os"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: ocireg PORT")
	}
	handler := ociserver.New(ocimem.New(), nil)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], handler))
}
