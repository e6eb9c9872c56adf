// The script of the page, which is bundled into one file and stands in the page itself.
import type { Window } from './dom.js'
import { DoorPage } from './door-page.js'

declare const window: Window

await new DoorPage(window).start()
