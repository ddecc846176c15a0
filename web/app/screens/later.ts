/** Screens that the first tap does not need: loaded after it, in one file of their own. */

export { Keep } from "../account/keep";
export { SignIn } from "../account/sign-in";
export { MoreSheet } from "./more-sheet";
export { PastRuns } from "./runs";
