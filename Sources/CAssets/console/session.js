// Who is here. The token is kept in this tab alone, in memory and in sessionStorage, and goes out in the Authorization field only.
import { element, onSubmit, setText } from "./dom.js";
import { Problem } from "./api.js";

const tokenKey = "sluice.token";
const problemKey = "sluice.problem";

/**
 * Comes back once the edge knows who is here: at once on a Unix socket, or where this tab has a token; else by the form.
 *
 * @param {import("./api.js").API} api
 * @returns {Promise<{name: string, role: string}|null>} null where the edge does not say
 */
export async function signIn(api) {
  api.token = sessionStorage.getItem(tokenKey);
  const left = sessionStorage.getItem(problemKey) ?? "";
  sessionStorage.removeItem(problemKey);
  try {
    return await whoAmI(api);
  } catch (error) {
    return askForToken(api, left || explanation(error, api.token !== null));
  }
}

/** Forgets the token and begins anew, with a sentence where it was not the user who wanted it. */
export function signOut(sentence = "") {
  sessionStorage.removeItem(tokenKey);
  if (sentence) sessionStorage.setItem(problemKey, sentence);
  location.reload();
}

async function whoAmI(api) {
  try {
    return await api.get("/whoami");
  } catch (error) {
    if (!error.isAbsent) throw error;
    await api.get("/status");
    return null;
  }
}

function askForToken(api, problem) {
  const form = element("sign-in-form");
  const submit = form.querySelector("button");
  element("sign-in").hidden = false;
  setText(element("sign-in-error"), problem);
  element("token").focus();
  return new Promise((resolve) => {
    onSubmit(form, async ({ token }) => {
      submit.disabled = true;
      api.token = token.trim();
      try {
        const identity = await whoAmI(api);
        sessionStorage.setItem(tokenKey, api.token);
        form.reset();
        element("sign-in").hidden = true;
        resolve(identity);
      } catch (error) {
        setText(element("sign-in-error"), explanation(error, true));
        element("token").select();
      } finally {
        submit.disabled = false;
      }
    });
  });
}

function explanation(error, hasToken) {
  if (!(error instanceof Problem)) return `${error.message} Is the tunnel to it still there?`;
  if (error.word === "token_missing") return "";
  if (error.word === "token_invalid") return hasToken ? "The edge does not know this token: it is not in admin.tokens_file." : "";
  return error.message;
}
