// Command olareg PORT DIRECTORY serves github.com/olareg/olareg on 127.0.0.1:PORT and keeps everything in the directory.
//
// It reads a list of referrers, changes it and writes it back without a lock: what is pushed side by side is lost from it.
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/olareg/olareg"
	"github.com/olareg/olareg/config"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: olareg PORT DIRECTORY")
	}
	yes := true
	handler := olareg.New(config.Config{
		Storage: config.ConfigStorage{StoreType: config.StoreDir, RootDir: os.Args[2]},
		API:     config.ConfigAPI{DeleteEnabled: &yes},
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], handler))
}
