// A section tells of its own failures, above what it last showed.
import { setText } from "./dom.js";
import { Unreachable } from "./api.js";

/** What a poll needs to tell of failures in a section: `fail`, and `clear` for when an answer came. */
export function notesOf(section) {
  const note = section.querySelector(".note");
  const tell = (text, isAbsent) => {
    setText(note, text);
    note.hidden = text === "";
    section.toggleAttribute("data-absent", isAbsent);
  };
  return {
    clear: () => tell("", false),
    fail: (error) => {
      if (error instanceof Unreachable) return; // the banner says it for all
      tell(error.isAbsent ? "This edge does not offer this; a newer version does." : error.message, Boolean(error.isAbsent));
    },
  };
}
