// Command notation-verify verifies the signatures of the Notary Project on a manifest, with the library that the notation
// command is made of and a trust policy of level strict:
//
//	notation-verify --trust CERT.pem [--identity 'x509.subject: C=US, ST=WA, O=Acme'] [--plain-http] HOST/REPOSITORY@DIGEST
//	notation-verify --trust CERT.pem --layout DIRECTORY DIGEST
//
// It prints the payload that was signed and exits with 0, or says why not and exits with 1.
package main

import (
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/dir"
	notationregistry "github.com/notaryproject/notation-go/registry"
	"github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
	"oras.land/oras-go/v2/registry/remote"
)

type options struct {
	trust, identity, layout, reference string
	plainHTTP                          bool
}

func main() {
	var o options
	flag.StringVar(&o.trust, "trust", "", "PEM file of the only certificate that is trusted")
	flag.StringVar(&o.identity, "identity", "*", "trusted identity, as in a trust policy")
	flag.StringVar(&o.layout, "layout", "", "OCI layout that the digest is in")
	flag.BoolVar(&o.plainHTTP, "plain-http", false, "speak HTTP to the registry")
	flag.Parse()
	o.reference = flag.Arg(0)
	if flag.NArg() != 1 || o.trust == "" {
		flag.Usage()
		os.Exit(2)
	}
	payload, err := verify(context.Background(), o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(payload)
}

func verify(ctx context.Context, o options) (string, error) {
	repository, reference, err := open(o)
	if err != nil {
		return "", err
	}
	store, err := trustStore(o.trust)
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(store)
	policy := &trustpolicy.Document{
		Version: "1.0",
		TrustPolicies: []trustpolicy.TrustPolicy{{
			Name:                  "test",
			RegistryScopes:        []string{"*"},
			SignatureVerification: trustpolicy.SignatureVerification{VerificationLevel: "strict"},
			TrustStores:           []string{"ca:test"},
			TrustedIdentities:     []string{o.identity},
		}},
	}
	v, err := verifier.New(policy, truststore.NewX509TrustStore(dir.NewSysFS(store)), nil)
	if err != nil {
		return "", err
	}
	_, outcomes, err := notation.Verify(ctx, v, repository, notation.VerifyOptions{
		ArtifactReference:    reference,
		MaxSignatureAttempts: 50,
	})
	if err != nil {
		return "", errors.Join(append([]error{err}, errorsOf(outcomes)...)...)
	}
	return string(outcomes[0].EnvelopeContent.Payload.Content), nil
}

func open(o options) (notationregistry.Repository, string, error) {
	if o.layout != "" {
		repository, err := notationregistry.NewOCIRepository(o.layout, notationregistry.RepositoryOptions{})
		return repository, "local/layout@" + o.reference, err
	}
	repository, err := remote.NewRepository(o.reference)
	if err != nil {
		return nil, "", err
	}
	repository.PlainHTTP = o.plainHTTP
	return notationregistry.NewRepository(repository), o.reference, nil
}

// trustStore makes a directory such as notation keeps its configuration in, with one certificate in the store ca:test.
func trustStore(certificate string) (string, error) {
	pem, err := os.ReadFile(certificate)
	if err != nil {
		return "", err
	}
	root, err := os.MkdirTemp("", "notation-verify-")
	if err != nil {
		return "", err
	}
	at := filepath.Join(root, dir.X509TrustStoreDir(string(truststore.TypeCA), "test"))
	if err := os.MkdirAll(at, 0o700); err != nil {
		return "", err
	}
	return root, os.WriteFile(filepath.Join(at, "trusted.pem"), pem, 0o600)
}

func errorsOf(outcomes []*notation.VerificationOutcome) []error {
	var all []error
	for _, outcome := range outcomes {
		if outcome.Error != nil {
			all = append(all, outcome.Error)
		}
		if content := outcome.EnvelopeContent; content != nil {
			all = append(all, fmt.Errorf("signed by %s", subjectOf(content.SignerInfo.CertificateChain)))
		}
	}
	return all
}

func subjectOf(chain []*x509.Certificate) string {
	if len(chain) == 0 {
		return "nobody"
	}
	return chain[0].Subject.String()
}
