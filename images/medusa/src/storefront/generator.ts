/** Every page's `generator`: the proof looks for it. */
export const GENERATOR = "Storefleet";
