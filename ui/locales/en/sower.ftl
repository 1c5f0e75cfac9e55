### The words of Sower, for the window and for the terminal.
###
### A key is a kind and a code: `problem-token-removed`. The message says what
### is; its attribute `.next` says what to do next, and `.detail`, where there is
### one and every fact that it names is known, says more. Facts arrive as text;
### whole numbers are handed over as numbers, so that a message can choose by them.
### Words are short, name the thing on the desk, and never blame.

## Problems with the picture

problem-picture-empty = The file is empty.
    .next = Take the picture again, then open the new file.
problem-picture-not-a-picture = This file is not a picture.
    .next = Save the code from the page as PNG or JPEG, or take a screenshot of it.
problem-picture-unsupported = Sower does not read { $format } files.
    .next =
        { $format ->
            [HEIC] Open it in the system's own picture viewer (Photos, Preview) and export it as JPEG, or take a screenshot of the code.
            [PDF] Open it, show the code large, and take a screenshot of it.
           *[other] Save it as PNG or JPEG, or take a screenshot of the code.
        }
problem-picture-too-large = The picture is too large: { $width } × { $height } pixels.
    .next = Cut it down to the code and its white border, then open it again.
problem-picture-damaged = The { $format } picture is damaged or was cut off.
    .next = Take a new screenshot of the code and open that.
problem-picture-overdue = Opening the picture took too long.
    .next = Cut it down to the code and its white border, then open it again.
problem-picture-no-thread = The computer has no room to read the picture just now.
    .next = Close some programs, then try again.
problem-file-unreadable = The file could not be read.
    .next = Check that the file is still there and that you may open it.
problem-folder-empty = There is no file in this folder.
    .next = Choose the pictures or files themselves. Folders inside a folder are not opened.
problem-too-many-files = These are more than { $most } files, or more than 256 MiB.
    .next = Take fewer at once.
problem-clipboard-empty = There is neither a picture nor a text on the clipboard.
    .next = Copy the code as a picture (a screenshot of it), then paste again.
problem-clipboard-unreadable = The clipboard could not be read.
    .next = Save the code as a picture and open that.
problem-no-code-found = There is no QR code in this picture.
    .next = Take a screenshot that shows the whole code with its white border.
problem-no-code-read = There is a code in this picture, but it could not be read.
    .next = Take a sharper or larger picture, straight from the front, with the white border.

## Problems with the token and its reader

problem-token-removed = The token was taken away before it had answered.
    .next = Put it back and keep it still until Sower says that it is done.
problem-token-silent = The token did not answer in time.
    .next = Switch it on, put it flat on the middle of the reader and try again.
problem-token-no-answer = The token's answer was empty. It probably moved.
    .next = Put it flat on the middle of the reader and keep it still.
problem-token-reset = The connection to the token was started anew in between.
    .next = Close other programs that use tokens, keep the token still and try again.
problem-reader-busy = Another program is using the reader.
    .detail = { $likely } is known to do this.
    .next = Close other programs that use tokens or smart cards, then try again.
problem-not-permitted = This user may not use the reader.
    .next = Ask whoever looks after this computer for access to smart cards and USB tokens.
problem-service-missing = The smart card service does not run on this computer.
    .next = Start it (Linux: pcscd; Windows: “Smart Card”), then plug the reader in again.
problem-token-gone = The token is not there any more.
    .next = Put it back and choose it again.
problem-card-unresponsive = There is a card, but it does not start.
    .next = Turn it over or clean its contacts. A token with a display must be switched on first.
problem-bus-failed = The computer reported error { $code } from the reader.
    .next = Unplug the reader, plug it in again and try once more.
problem-token-locked = The token is locked with a password.
    .next = Type the token's password.
problem-wrong-password = { $tries-left ->
        [0] This is not the token's password, and no try is left.
        [one] This is not the token's password. One try is left.
        [other] This is not the token's password. { $tries-left } tries are left.
       *[unknown] This is not the token's password.
    }
    .next = Ask the token's owner. Sower never tries a password a second time on its own.
problem-locked-on-device = The token is locked.
    .next = Unlock it with its own buttons, then try once more.
problem-not-set-up = The token was never set up.
    .next = Set it up with its maker's program first.
problem-token-blocked = The token is blocked: no try is left.
    .next = Its maker's program can unblock or reset it. Until then use another token.
problem-not-touched = Nobody confirmed on the token in time.
    .next = Try once more, and touch the token when it blinks or press yes when it asks.
problem-not-in-set-up-mode = The token's owner allows changes in its set-up mode alone.
    .next = Put the token into its set-up mode as its manual says, then try once more.
problem-authentication-refused = The token refused to talk to Sower.
    .next = Do not try many times: some tokens lock themselves. Use another token, or ask its maker.
problem-clock-impossible = This computer's clock says a date that cannot be.
    .next = Set the computer's clock first: a token that is set to a wrong time is of no use.
problem-file-too-large = The file is larger than { $most }.
    .next = Cut the picture down to the code and its white border, then open it again.
problem-token-full = The token is full.
    .next = Delete an entry with the maker's program, or choose another token.
problem-no-such-entry = The token has no entry of this name.
    .next = Start over and write the entry anew.
problem-name-taken = The token already has an entry of this name.
    .next = Permit replacing it, or choose another name.
problem-not-over-this-connection = The token does not allow this over this connection.
    .next = Plug it into USB instead of laying it on the reader.
problem-firmware-too-old = The token's firmware is too old for Sower.
    .next = Choose another token. Many tokens cannot be updated.
problem-token-read-only = Sower does not write to this token.
    .next = Choose another token.
problem-another-token = This is another token than the one that was chosen.
    .next = Put the first one back, or go back and choose this one.
problem-refused = The token said no to “{ $exchange }” (status { $status }).
    .next = Try once more. If it happens again, use another token and note this number.
problem-malformed = The token's answer to “{ $exchange }” makes no sense: { $what }.
    .next = Keep the token still and try once more. If it happens again, use another token.
problem-proof-mismatch = The token computes a wrong code.
    .next = Write it again. Do not hand this token out before it is confirmed.

## Problems with the run

problem-needs-permission = Something on the token would be replaced, and nobody has permitted that yet.
    .next = Tick the box that permits it, or choose another token.
problem-wrong-stage = This cannot be done at this point.
    .next = Follow the step that is shown.
problem-save-failed = The receipt could not be saved.
    .detail = The system says: { $reason }.
    .next = Choose another folder, or free some space, and save it again.
problem-unknown-token = This token is not known any more. It was taken away or put back.
    .next = Choose it again from the list.
problem-stranger = This is not a token that Sower can write to.
    .next = Choose another token.
problem-unknown-model = There is no such model in the list of tokens that only their maker's tool can write.
    .next = Choose one of the list.
problem-model-not-readable = Nothing of this model can be read over a reader.
    .next = Follow the steps of the maker's tool, and type the token's code.
problem-not-this-model = What lies there is known to be something else, so it was not asked.
    .next = Lay the token on a reader and name that reader.
problem-answers-otherwise = What lies on the reader does not answer like this token.
    .next = Make sure that it is this model, press its button and lay it flat on the reader. If it stays so, this reader may not pass the questions on: use the maker's app.
problem-no-clock-to-set = The token says that it has no clock. No time was sent to it.
    .next = If its codes are wrong, have the maker's app write it again, or use another token.
problem-clock-not-known = It is not known whether the token's clock was set: the connection broke at that moment. Its secret was not touched.
    .next = Lay the token back on the reader and have its code read: if the code is right, so is the clock. If not, set the clock once more.
problem-clock-not-proven = The token took the time, but then it did not tell its code.
    .next = Press its button, lay it flat on the reader and have its code read: if the code is right, so is the clock.
problem-qr-too-long = The account's name is too long for a QR code.
    .next = Take the picture of the code that the service shows, with the maker's tool.
problem-unexpected = Something happened that Sower did not expect.
    .next = Try again. If it happens again, close Sower and open it anew.

## What the token holds after a failed write

state-untouched = The token is unchanged.
    .detail = Nothing was written. What was on it before is still there and still works.
state-written = The new secret is on the token.
    .detail = It was written in full. Only the check of its code is missing.
state-emptied = The token holds no secret now.
    .detail = What was there before is gone, and the new secret is not on it. It shows no useful code until it is written again.
state-old-secret-new-settings = The old secret is still there, with new settings.
    .detail = Its clock and settings were changed, the secret was not. Its codes may no longer be accepted where it was in use.
state-unknown = It is not known what the token holds now.
    .detail = The connection broke during the change. Do not rely on this token until it has been written and confirmed.

## Verdicts

verdict-right-computed = The token computed the right code.
    .next = It was asked for a code that nobody could foresee, and for its next one. Both were right.
verdict-right-typed = { $offset ->
        [-1] The code is right. The token's clock is one code behind this computer's.
        [1] The code is right. The token's clock is one code ahead of this computer's.
       *[other] The code is right.
    }
    .next = The token shows the code that it should.
verdict-no-match = This code does not match.
    .next = Nothing is lost. Switch the token off and on, wait for its next code and type that.
verdict-right-told = { $offset ->
        [-1] The token told the right code. Its clock is one code behind this computer's.
        [1] The token told the right code. Its clock is one code ahead of this computer's.
       *[other] The token told the right code.
    }
    .next = It was read over the reader, so nobody had to type it.
verdict-no-match-told = The token told a code that does not match.
    .next = Press its button so that it shows a new code, and have that read. If it stays wrong, set its clock. If that does not help, it holds another secret.
verdict-no-match-beside-proof = This code is not one of the token's codes.
    .next = Look which account and which token the code was read from, and type the one that is shown now.
verdict-no-clock = The key has no time yet, so it typed NOTSET.
    .next = Sower has told it the time now. Press its button once more.
verdict-code-empty = There is no code yet.
    .next = Type the digits that the token shows.
verdict-code-not-digits = A code has digits only.
    .next = Type the digits that the token shows. Spaces do no harm.
verdict-code-wrong-length = This code has { $got } digits. It should have { $expected }.
    .next = Type all the digits, with the zeros in front.

## What a code in a picture is, when it cannot be enrolled

finding-microsoft-push = This is Microsoft's code for its own phone app. There is no secret in it.
    .next = On Microsoft's page go back, choose “I want to use a different authenticator app”, press Next and take a picture of the new code.
finding-empty = This code is empty.
    .next = Take a new picture of the code on the page.
finding-several-key-uris = { $count } accounts are in this one code.
    .next = Open a picture with one account, as the page shows it.
finding-several-secrets = There are { $count } texts here that could be the key.
    .next = Take a picture of the QR code on the page instead.
finding-app-export = This is an authenticator app's export of its accounts.
    .next = Use the code that the service shows when an authenticator app is set up. Exports hold more than one token should.
finding-passkey = This is a code for signing in with a passkey on another device.
    .next = On the page, choose to set up an authenticator app. Its code holds a secret, this one does not.
finding-verified-id = This is a code for a digital identity card.
    .next = Take a picture of the code for an authenticator app instead.
finding-everyday-wifi = This code is for a wireless network.
    .next = Take a picture of the code for an authenticator app instead.
finding-everyday-contact = This code is a visiting card.
    .next = Take a picture of the code for an authenticator app instead.
finding-everyday-mail = This code is a mail address or a mail.
    .next = Take a picture of the code for an authenticator app instead.
finding-everyday-telephone = This code is a telephone number or a text message.
    .next = Take a picture of the code for an authenticator app instead.
finding-everyday-calendar = This code is an event or a place.
    .next = Take a picture of the code for an authenticator app instead.
finding-app-download = This code is a link for downloading an app.
    .next = Go on to the next page of the set-up. The code with the secret comes after the download.
finding-vendor-push = This code is for { $name }. There is no secret in it for a token.
    .next = Ask the service for the set-up of “another authenticator app”, and take a picture of that code.
finding-serial-sticker = This is the serial number on a token.
    .next = Take a picture of the code on Microsoft's page. The token itself is found by the reader.
finding-displayed-code = This is a code that a token or an app shows, not the secret behind it.
    .next = Take a picture of the QR code on the page.
finding-hex-secret = This may be a secret written in hexadecimal ({ $bytes } bytes). Sower does not guess.
    .next = Use the QR code that the service shows for an authenticator app.
finding-base64-secret = This may be a secret written in base64 ({ $length } characters). Sower does not guess.
    .next = Use the QR code that the service shows for an authenticator app.
finding-link = This code is a link to a web page.
    .next = Take a picture of the code for an authenticator app instead.
finding-unknown = Sower does not know what this is.
    .next = Take a picture of the code that the service shows for an authenticator app, or open an export or a seed file.

## What is wrong with a code that was meant for an authenticator app

finding-text-too-long = This text is too long for an authenticator's code ({ $bytes } bytes).
    .next = Take a picture of the QR code on the page.
finding-broken-over-lines = The key is broken over several lines.
    .next = Take a picture of the QR code on the page instead.
finding-event-based = This code is for a token that counts button presses. Sower writes codes that follow the time.
    .next = Ask the service for a time-based code (TOTP).
finding-steam-codes = This code makes Steam's letter codes. Hardware tokens show digits.
    .next = Use Steam's own app for this account.
finding-unknown-type = This code is of a kind that Sower does not know.
    .next = Ask the service for a time-based code (TOTP).
finding-no-secret = There is no secret in this code.
    .next = Reload the page and take a picture of the code that it then shows.
finding-secret-bad-character = Character { $position } of the secret, “{ $character }”, cannot be in a secret.
    .detail = Was it meant to be “{ $question }”?
    .next = Take a picture of the QR code on the page. Nothing is corrected by guessing.
finding-secret-maybe-hex = The secret looks like hexadecimal ({ $length } characters). Sower does not guess.
    .next = Ask the service for the secret in base32, or for a QR code.
finding-secret-maybe-base64 = The secret looks like base64 ({ $length } characters). Sower does not guess.
    .next = Ask the service for the secret in base32, or for a QR code.
finding-secret-padding-inside = The secret has “=” signs in the middle. Something was put together wrongly.
    .next = Take a new picture of the QR code on the page.
finding-secret-cut = The secret was cut off after { $length } characters.
    .next = Take a new picture of the QR code on the page.
finding-secret-too-short = The secret is too short to be safe: { $bytes } bytes.
    .next = Ask the service for a new code. A secret has at least 10 bytes.
finding-secret-too-long = The secret is too long: { $length } characters.
    .next = Ask the service for a new code.
finding-conflicting = The code says two different things about “{ $field }”.
    .next = Reload the page and take a picture of the code that it then shows.
finding-bad-number = The code's “{ $field }” is not a number that can be used.
    .detail = It says { $value }.
    .next = Ask the service for another code.
finding-unknown-algorithm = The code asks for a hash that Sower does not know.
    .detail = It is called { $name }.
    .next = Ask the service for a code with SHA-1, SHA-256 or SHA-512.

## What a person should know about a credential

note-parameters-assumed = The key came alone. SHA-1, 6 digits and 30 seconds were assumed.
note-secret-cut-accepted = The secret ends in an unusual place. Check it by the token's code with special care.
note-left-over-bits = The secret's last character may have been mistyped. The token's code will tell.
note-short-secret = The secret is shorter than recommended. It works, if the service made it so.
note-long-secret = The secret is longer than its hash needs. It works the same.
note-name-cleaned = Signs that cannot be seen were taken out of the name.
note-name-cut = The name was very long and was cut.

## What does not fit the token

misfit-read-only-unknown-model = Sower does not know this model and only reads it.
    .next = Choose another token. Writing to an unknown model could spoil it.
misfit-secret-length = The secret has { $bytes } bytes. This token takes { $least } to { $most }.
    .next = Choose another token.
misfit-algorithm = The code needs { $wanted }. This token knows { $known }.
    .next = Choose a token that knows { $wanted }.
misfit-digits = The code has { $wanted } digits. This token knows { $known }.
    .next = Choose another token.
misfit-period = A code lasts { $wanted } seconds. This token knows { $known }.
    .next = Choose another token.
misfit-secret-zeros = This secret has zero bytes that the token would take for something else.
    .next = Ask the service for a new code, or choose another token.
misfit-no-such-slot = The token has no such place.
    .next = Choose another place of the list.
misfit-name-length = The entry's name is too long: { $bytes } bytes. This token takes { $most }.
    .next = Take the shorter name below, or type one of your own.
misfit-name-mixed-up = This key would take the entry “{ $other }” for the new one and replace it.
    .next = Give the new entry a name that the other one does not begin with.
misfit-name-form = This name cannot be used.
    .next = Type a name without control characters. It may not be empty, nor begin with digits and a slash.

## What is on the reader, when it is no token for Sower

stranger-storage-card = A storage card, such as a door or travel card.
    .next = Take it away and put a programmable token on the reader.
stranger-fido-key = A security key without room for codes.
    .next = Use it for signing in by touch. For codes, use a token from the list of known tokens.
stranger-nitrokey-3 = A Nitrokey 3 without room for codes.
    .next = Its Secrets app is missing or switched off. Update the key with Nitrokey's own program, or plug it in by USB.
stranger-unknown-card = A card that Sower does not know.
    .next = Sower writes only to tokens that it knows. Put another one on the reader.

## How far a family is proven

evidence-sheet = Written from the protocol's description only. Not seen on hardware.
evidence-emulator = Checked with an emulated token. Not seen on hardware.
evidence-vectors = Checked with published test data. Not seen on hardware.
evidence-makers-bytes = Checked with bytes of the maker's own program. Not seen on hardware.
evidence-others-code = Checked with programs that others wrote. Not seen on hardware.
evidence-hardware = Proven on real hardware.

## How the next code is checked

proof-computes = The token computes its code for Sower. Nothing to type.
proof-reads-clock = Sower sets the token's clock and reads its code. Nothing to type.
proof-types = The key types its code when its button is pressed.
proof-displays = The token shows its code. A person types it here.

## How far a write has come

progress-connecting = Connecting to the token…
progress-writing = Writing. Keep the token still…
progress-touch = The token waits for you: touch it now…
progress-approve = The token waits for you: say yes on its own screen now…
progress-proving = Asking the token for its code…
progress-settling = Asking the token what it holds…

## Files: exports, vaults, seed files

question-password-needed = The { $form } is encrypted.
    .next = Type the password that it was exported with.
question-key-needed = The { $form } is encrypted with a key that both sides agreed on.
    .next = Type the key in hexadecimal. Whoever sent the file has it.
question-encoding-needed = The secret of { $length } characters may be { $candidates }. Sower does not guess.
    .next = Ask whoever gave it to you which one it is.
finding-alone = Open this file by itself.
finding-cell = Row { $row }, column { $column }:
finding-file-too-large-to-read = The file has { $bytes } bytes, more than any export.
    .next = Check that it is the right file.
finding-too-many = There are more than { $most } { $what } in it.
    .next = Split the file.
finding-malformed-file = The { $form } is damaged.
    .detail = What is wrong: { $what }.
    .next = Export or download it again.
finding-wrong-file-password = The password does not open the { $form }.
    .next = Type it again. If it is right, the file is damaged: export it again.
finding-too-costly = The { $form } asks for more work than is allowed before its password can be tried.
    .detail = { $field }: { $value }, at most { $most }.
    .next = The file is damaged or hostile, or the password is wrong. Export it again without a password.
finding-unsupported = This { $form } cannot be read: { $what }.
    .next = Export it again without encryption, or in another form.
finding-other-file = This file ({ $kind }) cannot be read.
    .next = Export the accounts as text, JSON, XML or CSV.
finding-mixed-exports = The codes belong to different exports.
    .next = Take the pictures of one export only.
finding-no-entries = There is nothing in this { $form }.
    .next = Export it again with the accounts chosen.
finding-cell-scientific-notation = Row { $row }, column { $column }: a spreadsheet turned the value into a number like 1.2E+12.
    .next = Take the file as it was before the spreadsheet.
finding-cell-lost-zeros = Row { $row }, column { $column }: the value is shorter than the others. Zeros in front are gone.
    .next = Take the file as it was before the spreadsheet.
finding-cell-rounded = Row { $row }, column { $column }: a spreadsheet rounded the value.
    .next = Take the file as it was before the spreadsheet.
finding-cell-error-value = Row { $row }, column { $column }: a spreadsheet put an error in place of the value.
    .next = Take the file as it was before the spreadsheet.
finding-row-too-short = Row { $row } has no cell for the secret.
    .next = Look at the row in a text editor.
finding-unsupported-key = This key cannot be read: { $what }.
    .next = Ask its maker for another file.
finding-wrong-mac = The secret of this key was changed, or belongs to another password.
    .next = Ask its maker for the file again.
finding-not-base64 = The secret of this key is damaged.
    .next = Ask its maker for the file again.

remark-incomplete = { $scanned } of { $of } pictures of the export are here.
remark-not-unicode = The file is no Unicode text; it was read as Windows-1252. Look at the names.
remark-no-header = The file has no header row.
remark-serial-scientific-notation = Row { $row }, column { $column }: a spreadsheet turned the serial number into a number like 1.2E+12.
remark-serial-lost-zeros = Row { $row }, column { $column }: the serial number is shorter than the others. Zeros in front may be gone.
remark-serial-rounded = Row { $row }, column { $column }: a spreadsheet rounded the serial number.
remark-serial-error-value = Row { $row }, column { $column }: a spreadsheet put an error in place of the serial number.
remark-same-secret = Entries { $first } and { $second } have the same secret.
remark-hash-by-length = Row { $row }: the length of the secret says SHA-256 or SHA-512. If the token makes SHA-1 codes, its codes will not match.
remark-not-authenticated = Nothing tells whether the encrypted file was changed.

## The window: frame

ui-name = Sower
ui-steps = Steps
ui-step-read = Read the code
ui-step-choose = Choose the token
ui-step-write = Write
ui-step-check = Check the token's code
ui-step-done = done
ui-start-over = Start over
ui-back = Back
ui-dismiss = Dismiss
ui-practice = Practice
ui-practice-strip = Practice: this token is not real. Nothing is written to a real one.
ui-no-words = Sower has no words for this yet ({ $code }).
ui-working = One moment…

## The window: reading the code

ui-read-title = Read the code
ui-read-lead = Open a picture of the QR code that Microsoft shows for an authenticator app, or a file with seeds.
ui-drop = Drop pictures, files or a folder here, or paste a screenshot or a text (Ctrl+V).
ui-drop-now = Let go to read this.
ui-open-picture = Open a picture or file…
ui-paste = Paste
ui-picture-file = Choose a file
ui-read-local = Everything is read on this computer and goes nowhere else.
ui-help-title = Where to find the code
ui-help-1 = On Microsoft's security info page, add a sign-in method and choose the authenticator app.
ui-help-2 = The first code that you see is for Microsoft's own phone app. Choose “I want to use a different authenticator app” instead.
ui-help-3 = Take a screenshot of the code that follows, and keep the page open until the token is confirmed.
ui-found-title = What was found
ui-found-in = What is in the { $title }
ui-found-one = { $count ->
        [one] One account was found.
       *[other] { $count } were found. Choose the account that the token is for.
    }
ui-found-rescue = This cannot go on a token
ui-asked-title-password-needed = The file wants its password
ui-asked-title-key-needed = The file wants its key
ui-asked-title-encoding-needed = How is the secret written?
ui-asked-secret-password-needed = The file's password
ui-asked-secret-key-needed = The key in hexadecimal
ui-asked-lead = Sower forgets it as soon as the file is read.
ui-asked-open = Open
ui-asked-base32 = Base32 (A–Z and 2–7)
ui-asked-hex = Hexadecimal (0–9 and A–F)
ui-asked-base64 = Base64 (small and capital letters)
ui-found-use = Use this account
ui-found-other = Read something else
ui-found-search = Find an account
ui-found-shown = { $shown } of { $count } are shown.
ui-look-longer = Look longer (some seconds)
ui-found-more = Add another picture…
ui-found-token = For the token { $token }
ui-found-file = From { $file }
ui-found-entry = Entry { $number }
ui-found-unread = { $count ->
        [one] One more code is in the picture and could not be read.
       *[other] { $count } more codes are in the picture and could not be read.
    }
ui-found-map = Where the codes are in the picture
ui-found-number = Code { $number }

## The window: choosing the token

ui-choose-title = Choose the token
ui-choose-lead = The code is for this account. Choose the token that will show it.
ui-account = Account
ui-organisation = Organisation
ui-issuer = Service
ui-code-form = Code
ui-code-form-value = { $algorithm } · { $digits } digits · { $period } s · { $bytes }-byte secret
ui-tokens-real = Tokens
ui-tokens-none = No token is here yet.
ui-tokens-none-1 = Plug the reader or the key into this computer.
ui-tokens-none-2 = A token with a display: switch it on with its button, then lay it flat on the reader.
ui-tokens-none-3 = It appears here by itself.
ui-tokens-practice = Practice tokens
ui-tokens-practice-lead = They live in this program only. Try everything with them; nothing real changes.
ui-tokens-practice-none = Switch one on at the practice bench. Then it appears here.
ui-token-use = Use this token
ui-token-use-named = Use this token: { $name }
ui-token-serial = Serial { $serial }
ui-token-firmware = Firmware { $firmware }
ui-token-locked = Wants a password
ui-token-clock = This token's clock and this computer's differ by { $seconds } seconds: one of them is wrong.
ui-families = Tokens that Sower knows
ui-family-token = Token
ui-family-proof = How it is checked
ui-family-evidence = How far it is proven
ui-locked-title-password = The token wants its password
ui-locked-title-pin = The token wants its PIN
ui-locked-title-key = The token wants its owner's key
ui-locked-lead-password = Somebody has set a password on it. Sower forgets it when this token is done.
ui-locked-lead-pin = Nothing is written without it. Sower tries it once and forgets it when this token is done.
ui-locked-lead-key = Somebody has changed the maker's key. Type the new one: 16 characters or 32 hex digits. Sower tries it once.
ui-secret-password = The token's password
ui-secret-pin = The token's PIN
ui-secret-key = The token's key
ui-tries-left = { $tries ->
        [0] No try is left.
        [one] One try is left. A wrong PIN blocks the token.
       *[other] { $tries } tries are left. Each wrong one costs a try.
    }
ui-unlock = Unlock
ui-unfit-title = This code does not fit this token
ui-unfit-lead = Nothing was written.
ui-other-token = Choose another token

## The window: writing

ui-planned-title = Ready to write
ui-planned-lead = Look at this once more. Nothing has been written yet.
ui-token = Token
ui-entry-name = Name on the token
ui-entry-name-use = Use this name
ui-entry-name-change = Change the name
ui-entry-name-pending = This name is not in use yet. Press “Use this name” first.
ui-replaces = What is replaced
ui-replaces-nothing = Nothing on the token is replaced.
ui-replaces-entry = The token has an entry of this name. It will be replaced for good.
ui-replaces-entry-not-told = The token does not tell which entries it has. If it has one of this name, that one will be replaced for good; its own screen says which it is.
ui-replaces-slot-entry = This place holds “{ $name }”. It will be replaced for good.
ui-replaces-slot-whatever-is-there = The token does not tell whether something is in this place. Whatever is there will be replaced for good.
ui-replaces-whatever-is-there = This token holds one secret and does not tell whether it has one. Whatever is on it will be replaced for good.
ui-replace-permit-entry = Replace this entry
ui-replace-permit-entry-not-told = Replace an entry of this name, if there is one
ui-replace-permit-slot-entry = Replace what is in this place
ui-replace-permit-slot-whatever-is-there = Replace whatever is in this place
ui-slot = Place on the token
ui-slot-change = Take another place
ui-slot-yes = { $label }: taken, “{ $name }”
ui-slot-no = { $label }: free
ui-slot-not-told = { $label }: not told
ui-presence = Your hand
ui-presence-touch-to-replace = When an entry is replaced, the key waits for a touch. Touch it when it blinks.
ui-presence-press-after = Afterwards the token has to be switched off and on.
ui-presence-approve-on-device = The token asks on its own screen. Say yes there, to the write and to each code.
ui-replace-permit-whatever-is-there = Replace whatever is on the token
ui-sets-clock = Clock
ui-sets-clock-value = The token's clock is set from this computer's. Make sure that this computer shows the right time.
ui-write = Write to token
ui-failed-title = The write did not succeed
ui-failed-now = What the token holds now
ui-failed-why = What went wrong
ui-try-again = Try again
ui-settle = Ask the token

## The window: checking the token's code

ui-written-title = Check the token's code
ui-written-lead = The secret is written. It is proven when the token's next code has been checked.
ui-written-switch-off-on-1 = Take the token off the reader. Switch it off and on again.
ui-written-switch-off-on-2 = Wait until it shows a new code. Each code lasts { $period } seconds.
ui-written-switch-off-on-3 = Type that code here.
ui-written-choose-place-1 = On the token, go to place { $slot } with its buttons.
ui-written-choose-place-2 = Wait until it shows a new code. Each code lasts { $period } seconds.
ui-written-choose-place-3 = Type that code here.
ui-written-press-key-1 = Click into the field below, so that the key types there.
ui-written-press-key-2 = Press the button of place { $slot } on the key.
ui-written-press-key-3 = The key types its code. Then press “Check the code”.
ui-code = The token's code
ui-code-hint = { $digits } digits. Spaces do no harm.
ui-check = Check the code
ui-stop = Stop without confirming
ui-stop-hint = The token then counts as written, not confirmed.
ui-prove-lead = The secret is written. This token computes its code itself, and Sower asks it for that.
ui-prove = Ask again
ui-written-clock = Right after the write, this token's clock and this computer's differ by { $seconds } seconds: one of them is wrong.
ui-confirmed-title = Confirmed
ui-confirmed-lead = The token gives the right code for { $account }.
ui-confirmed-practice = The practice token shows the right code for { $account }. No real token was written.
ui-practice-end = Do not type this token's code on Microsoft's page: it is gone when Sower is closed. For a real token, start over and choose it.
ui-confirmed-next = Now finish on Microsoft's page
ui-confirmed-next-displays = Wait for the token's next code and type it on Microsoft's page.
ui-confirmed-next-computes = Read a new code with the key's own program (for a YubiKey: Yubico Authenticator) and type it on Microsoft's page.
ui-confirmed-keep-open = Do not close that page before it has accepted the code. A new page shows another secret, and this token would be useless.
ui-save-receipt = Save receipt…
ui-receipt-saved = The receipt is saved.
ui-next-token = Next token
ui-unconfirmed-title = Written, not confirmed
ui-unconfirmed-lead = The secret is on the token, but nobody has checked the token's code. Do not count on it.
ui-unconfirmed-next = Before anyone relies on this token, type its code on Microsoft's page, or start over and write it again.

## The window: the practice bench

ui-bench = Practice bench
ui-bench-lead = These tokens are drawn. They behave like the real ones.
ui-bench-power-of = Power button of { $name }
ui-bench-next-of = Next button of { $name }
ui-bench-touch-of = Touch { $name }
ui-bench-display = Display
ui-bench-blank = blank
ui-bench-on = on
ui-bench-off = off
ui-bench-left = { $seconds } s left

## What to do with a maker's tool

step-safeid-seed = Start SafeID Programmer on Windows and give it the secret by hand, as text.
step-safeid-settings = It begins with 30 seconds and SHA-1. Change these only where this code needs others.
step-safeid-reader = Choose the NFC reader in its list and press “Connect”.
step-safeid-place = Switch the token on and put it on the reader. The tool shows its serial number and time.
step-safeid-sync = Choose “Sync Token Clock”.
step-safeid-burn = Press “Burn”.
step-safeid-phone = With a phone instead: give the app Deepnet SafeID Programmer the QR code or the text, switch the token on, hold it to the phone, press “Read token”, then “Program token”.
step-safeid-pinpad-mode = Hold the token's power button for 3 seconds until it says “programming mode”, then put it on the reader.
step-safeid-pinpad-slot = In the tool choose a slot and a title, and set time step, algorithm and OTP length as this code needs them.
step-feitian-place = Put the token or card on the NFC reader and start CardOTPTool.
step-feitian-seed = Press “Program Seed (QR)” and type the secret as it is shown here.
step-feitian-program = Press “Program”. The tool says OK when it has worked.
step-protectimus-app = Take an Android phone with NFC and the app Protectimus TOTP Burner. It takes the secret as base32 text, and it sets the token's clock when it writes.
step-reiner-first = The first account: switch the device on with OK, then press OK again. Its camera starts.
step-reiner-further = Any further account: switch it on, press the menu key, choose “Konten”, then “Erfassen”. Its camera starts.
step-reiner-scan = Have the QR code shown here and point the camera at it. The account is added by itself.
step-molto1-seed = Give the app the secret: as base32 text, in hexadecimal, or by scanning the QR code.
step-molto1-profile = Profile 0 is set up for SHA-1 and 30 seconds. Any other profile has to be configured in the app first.
step-molto1-mode = Switch the token off, then hold its power button for 5 to 7 seconds. It is then in programming mode.
step-molto1-burn = Press “Burn seed” and hold the token to the phone, or lay it on the reader.
step-makers-manual = From here on Sower does not know the steps. Follow the maker's manual.

## What nobody knows for sure about a token

doubt-secret-unknown = Which lengths of a secret this token takes is not known.
doubt-secret-inferred = The lengths of a secret that this token takes are inferred. Its maker does not state them.
doubt-algorithm-unknown = Which hashes this token knows is not known.
doubt-algorithm-inferred = That this token uses SHA-1 is inferred. Its maker does not state it.
doubt-digits-unknown = How many digits this token shows is not known.
doubt-digits-inferred = The number of digits is inferred. Its maker does not state it.
doubt-period-unknown = How long this token shows a code is not known.
doubt-period-inferred = How long this token shows a code is inferred. Its maker does not state it.

## What a closed token on a reader tells

told-period = The token shows each code for { $told } seconds, and this account needs { $wanted }. Its codes will not match.
told-no-clock = The token says that it has no clock of its own, so there is none to set.
told-unproven = That a reader passes these questions on to the token is inferred. Nobody has tried it with a real token yet.
told-clock-taken = The token took this computer's time.
told-clock-not-known = The token's answer to the time was not understood. Its code tells whether its clock is right.

## The window: tokens that only their maker's tool can write

ui-closed-entry = My token is not in the list
ui-closed-lead = These tokens can be written by their maker's tool alone. Choose yours: Sower tells you how, and checks the token's code afterwards.
ui-closed-factory = A token whose secret was fixed at the factory cannot be used here.
ui-closed-search = Search by maker or model
ui-closed-count = { $count ->
        [0] No model of this name. Sower knows nothing about it.
        [one] One model
       *[other] { $count } models
    }
ui-closed-serial = Serial number, for the receipt (optional)
ui-closed-tool = Maker's tool: { $tool }
ui-closed-tool-unknown = The maker's tool is not known.
ui-assisted-title = Write it with the maker's tool
ui-assisted-lead = Sower cannot write to the { $model }. Only its maker's tool can. Sower checks the token's code afterwards.
ui-assisted-steps = What its maker says to do
ui-assisted-source = Source: { $source }. Nobody here has tried it on a real token.
ui-assisted-secret = The secret
ui-assisted-secret-lead = Whoever sees it can make this account's codes. Show it when nobody else can look at this screen.
ui-assisted-show-base32 = Show the secret as text
ui-assisted-show-hex = Show the secret in hexadecimal
ui-assisted-show-qr = Show the secret as a QR code
ui-assisted-hide = Hide the secret
ui-assisted-shown = It is hidden again after { $seconds } seconds, and when you go to another window.
ui-assisted-hidden = The secret is hidden.
ui-assisted-text-label = The secret as text
ui-assisted-qr-label = QR code with the secret of { $account }, for the maker's tool
ui-assisted-written = I have written it
ui-written-lead-makers-tool = You said that the maker's tool has written the secret. It is proven when the token's next code has been checked.
ui-written-makers-tool-1 = If the token can be switched off, switch it off and on again: some use the new secret only then.
ui-written-makers-tool-2 = Wait until it shows a new code. This code lasts { $period } seconds.
ui-written-makers-tool-3 = Type that code here.
ui-written-again = Back to the maker's tool
ui-stop-hint-makers-tool = The receipt then says that nothing was confirmed.
ui-unconfirmed-title-closed = Not confirmed
ui-unconfirmed-lead-closed = Nobody has checked the token's code, and Sower did not see what the maker's tool wrote. Do not count on it.
ui-told-title = The token on a reader
ui-told-lead = Part of what this token speaks is public: it can tell of itself and tell its code, and its clock can be set. The secret is written by its maker's tool alone.
ui-told-none = No card that could be this token lies on a reader.
ui-told-hint = Sower asks a card in this way only when you say that it is this token.
ui-told-ask = This token is on { $reader }: ask it
ui-told-hardware = Hardware
ui-told-firmware = Firmware
ui-told-period = Each code lasts
ui-told-period-value = { $period } seconds
ui-told-code = Read its code and check it
ui-told-set-clock = Set its clock
ui-told-set-clock-hint = The clock is set from this computer's. Make sure that this computer shows the right time. The token's code is then read again.
