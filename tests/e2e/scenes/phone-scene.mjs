// One picture of a phone: its name, what it shows, and how a person gets there.

/** @typedef {import("../harness/phone-page.mjs").PhonePage} PhonePage */

/**
 * @typedef {{
 *   name: string,
 *   shows: string,
 *   beside?: string,
 *   open: () => Promise<PhonePage>,
 * }} PhoneScene `beside`: the drawing it stands beside
 */

/**
 * Scenes that follow one another on one phone.
 * @param {PhonePage} phone
 * @returns {(name: string, shows: string, beside: string | undefined, act: () => Promise<unknown>) => PhoneScene}
 */
export const onPhone = (phone) => (name, shows, beside, act) => ({
  name,
  shows,
  ...(beside ? { beside } : {}),
  open: async () => {
    await act();
    return phone;
  },
});
