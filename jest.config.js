const shared = {
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/tools/strip-types.js' },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  restoreMocks: true,
}

export default {
  coverageProvider: 'v8',
  collectCoverageFrom: ['src/**/*.ts'],
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['**/__tests__/!(interop)/**/*.test.ts', '**/__tests__/*.test.ts'] },
    // Real registries and tools take seconds: the script that runs them gives a longer timeout.
    { ...shared, displayName: 'interop', testMatch: ['**/__tests__/interop/**/*.test.ts'] },
  ],
}
