/** What an address has, which depends on its country. Countries are ISO 3166-1 alpha-2, in lower case as Medusa has them. */

/** Text fields of the address form, in its order, with the browser's autocomplete names. */
export const ADDRESS_FIELDS = {
  first_name: "given-name",
  last_name: "family-name",
  address_1: "street-address",
  postal_code: "postal-code",
  city: "address-level2",
} as const;
export type AddressField = keyof typeof ADDRESS_FIELDS;

const WITHOUT_POSTAL_CODES = new Set(
  (
    "ae ag ao aw bf bi bj bo bs bw bz cd cf cg ci ck cm cw dj dm er fj ga gd gh gm gq gy hk jm ki km kn kp lc ly ml mo mr mw nr " +
    "nu qa rw sb sc sl sr ss st sx sy td tg tk tl to tt tv ug vu ws ye zw"
  ).split(" "),
);

/** Where an address names its state. Taxes and shipping may depend on it; code and name as Medusa's admin has them. */
const PROVINCES: Record<string, string> = {
  au: `
    ACT Australian Capital Territory; NSW New South Wales; NT Northern Territory; QLD Queensland;
    SA South Australia; TAS Tasmania; VIC Victoria; WA Western Australia`,
  br: `
    AC Acre; AL Alagoas; AP Amapá; AM Amazonas; BA Bahia; CE Ceará; DF Distrito Federal; ES Espírito Santo;
    GO Goiás; MA Maranhão; MT Mato Grosso; MS Mato Grosso do Sul; MG Minas Gerais; PA Pará; PB Paraíba; PR Paraná;
    PE Pernambuco; PI Piauí; RJ Rio de Janeiro; RN Rio Grande do Norte; RS Rio Grande do Sul; RO Rondônia;
    RR Roraima; SC Santa Catarina; SP São Paulo; SE Sergipe; TO Tocantins`,
  ca: `
    AB Alberta; BC British Columbia; MB Manitoba; NB New Brunswick; NL Newfoundland and Labrador;
    NT Northwest Territories; NS Nova Scotia; NU Nunavut; ON Ontario; PE Prince Edward Island; QC Quebec;
    SK Saskatchewan; YT Yukon`,
  in: `
    AN Andaman and Nicobar Islands; AP Andhra Pradesh; AR Arunachal Pradesh; AS Assam; BR Bihar; CH Chandigarh;
    CT Chhattisgarh; DN Dadra and Nagar Haveli and Daman and Diu; DL Delhi; GA Goa; GJ Gujarat; HR Haryana;
    HP Himachal Pradesh; JH Jharkhand; KA Karnataka; KL Kerala; LD Lakshadweep; MP Madhya Pradesh; MH Maharashtra;
    MN Manipur; ML Meghalaya; MZ Mizoram; NL Nagaland; OR Odisha; PY Puducherry; PB Punjab; RJ Rajasthan; SK Sikkim;
    TN Tamil Nadu; TG Telangana; TR Tripura; UP Uttar Pradesh; UT Uttarakhand; WB West Bengal`,
  mx: `
    AGU Aguascalientes; BCN Baja California; BCS Baja California Sur; CAM Campeche; CHP Chiapas; CHH Chihuahua;
    CMX Ciudad de México; COA Coahuila de Zaragoza; COL Colima; DUR Durango; GUA Guanajuato; GRO Guerrero;
    HID Hidalgo; JAL Jalisco; MEX México; MIC Michoacán de Ocampo; MOR Morelos; NAY Nayarit; NLE Nuevo León;
    OAX Oaxaca; PUE Puebla; QUE Querétaro; ROO Quintana Roo; SLP San Luis Potosí; SIN Sinaloa; SON Sonora;
    TAB Tabasco; TAM Tamaulipas; TLA Tlaxcala; VER Veracruz de Ignacio de la Llave; YUC Yucatán; ZAC Zacatecas`,
  us: `
    AL Alabama; AK Alaska; AS American Samoa; AZ Arizona; AR Arkansas; CA California; CO Colorado; CT Connecticut;
    DE Delaware; FL Florida; GA Georgia; GU Guam; HI Hawaii; ID Idaho; IL Illinois; IN Indiana; IA Iowa; KS Kansas;
    KY Kentucky; LA Louisiana; ME Maine; MD Maryland; MA Massachusetts; MI Michigan; MN Minnesota; MS Mississippi;
    MO Missouri; MT Montana; NE Nebraska; NV Nevada; NH New Hampshire; NJ New Jersey; NM New Mexico; NY New York;
    NC North Carolina; ND North Dakota; MP Northern Mariana Islands; OH Ohio; OK Oklahoma; OR Oregon;
    PA Pennsylvania; PR Puerto Rico; RI Rhode Island; SC South Carolina; SD South Dakota; TN Tennessee; TX Texas;
    VI U.S. Virgin Islands; UM United States Minor Outlying Islands; UT Utah; VT Vermont; VA Virginia;
    WA Washington; DC Washington DC; WV West Virginia; WI Wisconsin; WY Wyoming`,
};

export interface Province {
  /** ISO 3166-2, in lower case: us-ca. */
  code: string;
  name: string;
}

/** None for a country whose addresses name no province. */
export function provincesOf(country: string): Province[] {
  const found = PROVINCES[country]?.matchAll(/\b([A-Z]{2,3}) ([^;]+)/g) ?? [];
  return [...found].map(([, code, name]) => ({ code: `${country}-${code!.toLowerCase()}`, name: name!.replace(/\s+/g, " ").trim() }));
}

export function hasPostalCodes(country: string): boolean {
  return !WITHOUT_POSTAL_CODES.has(country);
}

/** Names of missing fields, and of a country or province that can't be chosen. */
export function addressProblems(form: Record<string, string>, countries: string[]): string[] {
  const country = form.country_code ?? "";
  const needed = Object.keys(ADDRESS_FIELDS).filter((name) => name !== "postal_code" || hasPostalCodes(country));
  const wrong = needed.filter((name) => !form[name]);
  if (!countries.includes(country)) wrong.push("country_code");
  const provinces = provincesOf(country);
  if (provinces.length > 0 && !provinces.some(({ code }) => code === form.province)) wrong.push("province");
  return wrong;
}

/** As Medusa stores it: without a province if the country has none. */
export function toAddress(form: Record<string, string>) {
  return {
    ...Object.fromEntries(Object.keys(ADDRESS_FIELDS).map((name) => [name, form[name] ?? ""])),
    province: provincesOf(form.country_code!).find(({ code }) => code === form.province)?.code ?? "",
    country_code: form.country_code!,
    phone: form.phone ?? "",
  };
}
