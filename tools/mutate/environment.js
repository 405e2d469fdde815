// Jest's environment for Node that skips the rest of a file after the first failed test.
import { TestEnvironment } from 'jest-environment-node'

export default class extends TestEnvironment {
  #failed = false

  handleTestEvent({ name, test }) {
    if (name === 'test_fn_failure' || (name === 'hook_failure' && test)) this.#failed = true
    if (name === 'test_start' && this.#failed) test.mode = 'skip'
  }
}
