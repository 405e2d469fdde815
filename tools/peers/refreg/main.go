// Command refreg PORT serves a registry with the referrers API on 127.0.0.1:PORT. It keeps everything in memory.
//
// No registry that is installed from a package has that API, and the server inside go-containerregistry has it only
// behind an option.
package main

import (
	"io"
	"log"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: refreg PORT")
	}
	quiet := registry.Logger(log.New(io.Discard, "", 0))
	handler := registry.New(registry.WithReferrersSupport(true), quiet)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], handler))
}
