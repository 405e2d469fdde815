import { own, type Declaration } from './declaration.ts'

export const generateKeyPair: Declaration = {
  name: 'generate-key-pair',
  description: 'Make a key pair as cosign does: PREFIX.key, encrypted with COSIGN_PASSWORD, and PREFIX.pub',
  sections: [own({ flag: '--output-key-prefix <prefix>', said: 'where they are written', byDefault: 'cosign' })],
  async run(_words, flags, io, parts) {
    const { generateKeyPairCommand } = await import('../generate-key-pair.ts') // what makes keys is of no use to others
    return generateKeyPairCommand(flags, io, parts)
  },
}
