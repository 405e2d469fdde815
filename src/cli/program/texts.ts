/** After the help of everything, and of `publish`. */
export const EXAMPLES = `
Examples:
  Two platforms from files that are built already:
    oci-publish publish --images ghcr.io/team/app --tags v1 --platforms linux/amd64,linux/arm64 \\
      --base-image gcr.io/distroless/static --layers 'dist/{os}-{arch}/:/usr/local/bin/' --entrypoint /usr/local/bin/app

  What would be sent, and which tags would move:
    oci-publish plan --images ghcr.io/team/app:v1 --layers dist/:/app/

  An OCI layout instead of a registry:
    oci-publish publish --no-push --outputs type=oci,dest=out --layers dist/:/app/

  An image with all its platforms to another registry, and one of its platforms to a file:
    oci-publish copy ghcr.io/team/app:v1 registry.example.com/team/app
    oci-publish copy ghcr.io/team/app:v1 oci-archive:app.tar --platforms linux/arm64

  All tags of a repository, but for those of branches:
    oci-publish copy ghcr.io/team/app registry.example.com/team/app --all-tags --exclude 'branch-*'

  What a reference stands for, and the manifest of one platform as it is stored:
    oci-publish inspect ghcr.io/team/app:v1
    oci-publish inspect ghcr.io/team/app:v1 --platform linux/arm64 --raw

  Model weights as an artifact, each file as it is, and any other files:
    oci-publish artifact push ghcr.io/team/models/tiny:1 weights.safetensors config.json --type modelpack
    oci-publish artifact push ghcr.io/team/report:1 report.html:text/html charts/ --artifact-type application/vnd.example.report

  An SBOM attached to every platform of an image, everything that hangs on it, and the files of an artifact:
    oci-publish attach ghcr.io/team/app:v1 sbom.spdx.json --artifact-type application/spdx+json --platforms all
    oci-publish discover ghcr.io/team/app:v1
    oci-publish pull ghcr.io/team/models/tiny:1 --output DIR
`

/** What every command has in common. */
export const STREAMS = `
Standard output has the published or copied references with digest, one a line, or the report with --json, or what was asked for;
all else is on standard error. Exit codes: 0 done, 1 it failed, 2 the request is wrong, 130 stopped.

Environment:
  OCI_PUBLISH_REGISTRY, OCI_PUBLISH_USERNAME, OCI_PUBLISH_PASSWORD   credentials for one registry
  OCI_PUBLISH_REGISTRY_AUTH   credentials of several, as the input registry-auth
  OCI_PUBLISH_CHART_SIGN_KEY, OCI_PUBLISH_CHART_SIGN_PASSPHRASE      PGP key for charts: a path, or the exported key itself
  OCI_PUBLISH_SIGN_KEY, COSIGN_PASSWORD                              as sign-key, and its password
  OCI_PUBLISH_NOTATION_KEY, OCI_PUBLISH_NOTATION_PASSWORD            as notation-key, and its password
  SIGSTORE_ID_TOKEN   identity token for keyless signatures; in a job of GitHub Actions one is asked for
  GITHUB_TOKEN        for ghcr.io, where no other credentials are found
  DOCKER_CONFIG       folder of docker's config.json, whose logins and helpers are used
  SOURCE_DATE_EPOCH   as --source-date-epoch
  NO_COLOR, CI        no colours; plain lines instead of a live display
  OCI_PUBLISH_DEBUG   1 shows where in the program an error was thrown
`
