// Writes the programs of this example: static executables of a few hundred bytes, one for each architecture, that greet
// and end. A real project has a compiler here; this one needs none, so that the example runs on a bare machine.
//
//   node examples/hello/build.js [DIRECTORY]
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const WRITE = { amd64: 1, arm64: 64 } // numbers of Linux's system calls
const EXIT = { amd64: 60, arm64: 93 }
const MACHINE = { amd64: 62, arm64: 183 } // ELF e_machine
const BASE = 0x400000n
const HEADERS = 64 + 56

/** write(1, text, length); exit(0) */
const CODE = {
  amd64(text, length) {
    return Buffer.concat([
      Buffer.from([0xb8, ...word(WRITE.amd64)]), // mov eax, write
      Buffer.from([0xbf, ...word(1)]), //           mov edi, 1
      Buffer.from([0xbe, ...word(text)]), //        mov esi, text
      Buffer.from([0xba, ...word(length)]), //      mov edx, length
      Buffer.from([0x0f, 0x05]), //                 syscall
      Buffer.from([0xb8, ...word(EXIT.amd64)]), //  mov eax, exit
      Buffer.from([0x31, 0xff]), //                 xor edi, edi
      Buffer.from([0x0f, 0x05]), //                 syscall
    ])
  },
  arm64(text, length) {
    const movz = (register, value, shift = 0) => 0xd2800000 + shift * 0x200000 + value * 32 + register
    const movk = (register, value, shift) => 0xf2800000 + shift * 0x200000 + value * 32 + register
    const SVC = 0xd4000001
    const instructions = [
      movz(8, WRITE.arm64),
      movz(0, 1),
      movz(1, text & 0xffff),
      movk(1, text >>> 16, 1),
      movz(2, length),
      SVC,
      movz(8, EXIT.arm64),
      movz(0, 0),
      SVC,
    ]
    return Buffer.from(instructions.flatMap(instruction => [...word(instruction)]))
  },
}

function word(value) {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}

export function program(architecture) {
  const text = Buffer.from(`Hello from linux/${architecture}\n`)
  const size = CODE[architecture](0, 0).length
  const code = CODE[architecture](Number(BASE) + HEADERS + size, text.length)
  const file = Buffer.concat([Buffer.alloc(HEADERS), code, text])

  // ELF header: 64 bits, little endian, an executable.
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0], 0)
  file.writeUInt16LE(2, 16)
  file.writeUInt16LE(MACHINE[architecture], 18)
  file.writeUInt32LE(1, 20)
  file.writeBigUInt64LE(BASE + BigInt(HEADERS), 24) // entry point
  file.writeBigUInt64LE(64n, 32) // where the program header is
  file.writeUInt16LE(64, 52)
  file.writeUInt16LE(56, 54)
  file.writeUInt16LE(1, 56)

  // One program header: the whole file, readable and executable.
  file.writeUInt32LE(1, 64)
  file.writeUInt32LE(5, 68)
  file.writeBigUInt64LE(BASE, 80)
  file.writeBigUInt64LE(BASE, 88)
  file.writeBigUInt64LE(BigInt(file.length), 96)
  file.writeBigUInt64LE(BigInt(file.length), 104)
  file.writeBigUInt64LE(0x1000n, 112)
  return file
}

if (process.argv[1] === import.meta.filename) {
  const directory = process.argv[2] ?? join(import.meta.dirname, 'dist')
  for (const architecture of ['amd64', 'arm64']) {
    const path = join(directory, `linux-${architecture}`, 'hello')
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, program(architecture))
    chmodSync(path, 0o755)
  }
}
