import type { HttpResponse, Transport } from '../../src/http/transport.ts'

/** A transport for which some hosts are elsewhere: who asks sees nothing of it. */
export function mappedTransport(transport: Transport, hosts: Readonly<Record<string, URL>>): Transport {
  return {
    async request(request) {
      const to = hosts[request.url.host]
      if (!to) return transport.request(request)
      const url = new URL(request.url.pathname + request.url.search, to)
      return seenAs(request.url, await transport.request({ ...request, url }))
    },
    close: () => transport.close(),
  }
}

function seenAs(url: URL, response: HttpResponse): HttpResponse {
  return { ...response, url }
}
