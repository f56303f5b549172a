// The sound of the page: one for the news, the emergency and the test of it.

import { Speaker } from "@showdesk/platform";

export const speaker = new Speaker();
// The first tap of the day, whatever it is for.
speaker.askWithNextTap();
