// Loaded before a test: its modules come from what the compiler made of them. See hooks.mjs.
import { register } from 'node:module'

register('./hooks.mjs', import.meta.url)
