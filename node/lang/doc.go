// Package lang says in Chinese what the program says in English: refusals, errors and help.
//
// There is one mechanism. The code is written in English; a catalogue of pairs, English and Chinese, stands beside it as text files. What reaches
// a person goes through Text at the last moment: in an answer of the gateway by Accept-Language, on the command line by --lang or LANG. Codes,
// numbers, rules and dates are the same in both languages, so programs read either.
//
// English sentences with values in them are written in the catalogue as the formats that make them; the values are taken out of a finished
// sentence and put into the Chinese one. So a text that was stored, or that came over the wire, is translated like one that was just made.
// What the catalogue does not know stays English: nobody is left without an answer.
//
// Hard to forget: a test reads the source of all packages whose words reach people, and fails with the pairs that are missing and those that
// nothing says any more, in the form in which they are to be written down.
//
// Trust: whoever can change this package can change what people read about a refusal, not the refusal.
package lang
