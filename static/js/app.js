// Every element, one file each. Collecting the static files writes them into this file (gptbuilder/web/storage.py),
// so an element stands alone: it registers itself, and neither imports nor exports.
import "./elements/appearance.js";
import "./elements/auto-save.js";
import "./elements/chat-name.js";
import "./elements/chat-thread.js";
import "./elements/composer-box.js";
import "./elements/copy.js";
import "./elements/keep-focus.js";
import "./elements/key-shortcuts.js";
import "./elements/file-chips.js";
import "./elements/file-tray.js";
import "./elements/follow-link.js";
import "./elements/image-tray.js";
import "./elements/live-prose.js";
import "./elements/menu.js";
import "./elements/open-dialog.js";
import "./elements/passage-panel.js";
import "./elements/passkey-form.js";
import "./elements/picture-field.js";
import "./elements/run-stream.js";
import "./elements/search-chats.js";
import "./elements/starter-list.js";
import "./elements/time-ago.js";
import "./elements/toasts.js";
