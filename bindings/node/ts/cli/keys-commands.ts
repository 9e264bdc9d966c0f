import type { Command } from './command'
export const KEYS_COMMANDS: readonly Command[] = []
export const KEYS_DESCRIPTION: readonly string[] = []
