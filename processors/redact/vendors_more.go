package redact

// moreVendorRules are further tokens that a prefix tells, by the vendors' own
// descriptions of their formats.
var moreVendorRules = []vendorRule{
	// Clouds, hosting, building.
	{vendor: "Yandex Cloud", prefix: "AQVN", body: csURL, min: 35, max: 38, check: isMixed},
	{vendor: "Yandex Cloud", prefix: "t1.", body: csBase64Dotted, min: 100, max: 400},
	{vendor: "Yandex Cloud", prefix: "YC", body: csURL, min: 38, max: 38, check: isMixed},
	{vendor: "ClickHouse Cloud", prefix: "4b1d", body: csAlnum, min: 38, max: 38, check: isMixed},
	{vendor: "MongoDB Atlas", prefix: "mdb_sa_sk_", body: csURL, min: 40, max: 40},
	{vendor: "Netlify", prefix: "nfo_", body: csAlnum, min: 36, max: 40},
	{vendor: "Netlify", prefix: "nfc_", body: csAlnum, min: 36, max: 40},
	{vendor: "Netlify", prefix: "nfu_", body: csAlnum, min: 36, max: 40},
	{vendor: "Netlify", prefix: "nfb_", body: csAlnum, min: 36, max: 40},
	{vendor: "Deno Deploy", prefix: "ddp_", body: csAlnum, min: 36, max: 40},
	{vendor: "Fly.io", prefix: "fm1a_", body: csBase64, min: 100, max: 2000},
	{vendor: "Scalingo", prefix: "tk-us-", body: csURL, min: 48, max: 48},
	{vendor: "OpenShift", prefix: "sha256~", body: csURL, min: 43, max: 43, check: isMixed},
	{vendor: "Octopus Deploy", prefix: "API-", body: csUpper, min: 25, max: 32, check: isMixed},
	{vendor: "Harness", prefix: "pat.", body: csDotted, min: 68, max: 68},
	{vendor: "Harness", prefix: "sat.", body: csDotted, min: 68, max: 68},
	{vendor: "Infracost", prefix: "ico-", body: csAlnum, min: 32, max: 32, check: isMixed},
	{vendor: "Ionic", prefix: "ion_", body: csAlnum, min: 42, max: 42},
	{vendor: "Vault", prefix: "hvr.", body: csURL, min: 90, max: 300},
	{vendor: "GitLab", prefix: "glffct-", body: csURL, min: 20, max: 40},
	{vendor: "GitLab", prefix: "glrtr-", body: csDotted, min: 20, max: 60},
	{vendor: "Sourcegraph", prefix: "slk_", body: csLowerHex, min: 64, max: 64},
	{vendor: "Sourcegraph", prefix: "sgd_", body: csURL, min: 64, max: 80},
	{vendor: "Defined Networking", prefix: "dnkey-", body: csURL, min: 79, max: 79},
	{vendor: "Doppler", prefix: "dp.ct.", body: csAlnum, min: 40, max: 44},
	{vendor: "Doppler", prefix: "dp.sa.", body: csAlnum, min: 40, max: 44},
	{vendor: "Doppler", prefix: "dp.scim.", body: csAlnum, min: 40, max: 44},
	{vendor: "Doppler", prefix: "dp.audit.", body: csAlnum, min: 40, max: 44},
	{vendor: "1Password", prefix: "A3-", body: csURL, min: 33, max: 38, check: upperDashed},
	{vendor: "Adobe", prefix: "p8e-", body: csAlnum, min: 32, max: 32},
	{vendor: "Dropbox", prefix: "sl.", body: csDotted, min: 100, max: 2000, check: isMixed},
	{vendor: "NVIDIA", prefix: "nvapi-", body: csURL, min: 60, max: 70},
	{vendor: "Xata", prefix: "xau_", body: csAlnum, min: 36, max: 48},
	{vendor: "Trigger.dev", prefix: "tr_prod_", body: csAlnum, min: 20, max: 28},
	{vendor: "Trigger.dev", prefix: "tr_dev_", body: csAlnum, min: 20, max: 28},
	{vendor: "Inngest", prefix: "signkey-prod-", body: csLowerHex, min: 32, max: 64},
	{vendor: "Rootly", prefix: "rootly_", body: csLowerHex, min: 64, max: 64},
	{vendor: "WakaTime", prefix: "waka_", body: csURL, min: 36, max: 36},
	{vendor: "Zuplo", prefix: "zpka_", body: csURL, min: 32, max: 60},
	{vendor: "42", prefix: "s-s4t2ud-", body: csLowerHex, min: 64, max: 64},
	{vendor: "42", prefix: "s-s4t2af-", body: csLowerHex, min: 64, max: 64},
	{vendor: "RFC 8959", prefix: "secret-token:", body: csDotted, min: 8, max: 300},
	{vendor: "AWS AppSync", prefix: "da2-", body: csLower, min: 26, max: 26, check: isMixed},
	{vendor: "AWS Bedrock", prefix: "bedrock-api-key-", body: csBase64, min: 50, max: 2000},
	{vendor: "Amazon MWS", prefix: "amzn.mws.", body: csURL, min: 36, max: 36},
	{vendor: "Google Cloud Storage", prefix: "GOOG1", body: csUpper, min: 20, max: 60, check: isMixed},
	{vendor: "StackHawk", prefix: "hawk.", body: csDotted, min: 41, max: 41, check: isMixed},
	// Payment, mail, chat.
	{vendor: "Discord", prefix: "mfa.", body: csURL, min: 80, max: 90, check: isMixed},
	{vendor: "Slack", prefix: "xoxd-", body: csEscaped, min: 40, max: 300, check: hasDigit},
	{vendor: "Stripe", prefix: "sk_prod_", body: csAlnum, min: 24, max: 247},
	{vendor: "Stripe", prefix: "rk_prod_", body: csAlnum, min: 24, max: 247},
	{vendor: "Stripe", prefix: "sk_org_", body: csAlnum, min: 24, max: 247},
	{vendor: "Checkout.com", prefix: "sk_sbox_", body: csAlnum, min: 24, max: 40},
	{vendor: "Paddle", prefix: "pdl_live_apikey_", body: csURL, min: 40, max: 60},
	{vendor: "Paddle", prefix: "pdl_sdbx_apikey_", body: csURL, min: 40, max: 60},
	{vendor: "Polar", prefix: "polar_oat_", body: csURL, min: 40, max: 60},
	{vendor: "Shippo", prefix: "shippo_test_", body: csLowerHex, min: 40, max: 40},
	{vendor: "EasyPost", prefix: "EZTK", body: csAlnum, min: 54, max: 54},
	{vendor: "Flutterwave", prefix: "FLWSECK_TEST-", body: csURL, min: 12, max: 50, check: hasDigit},
	{vendor: "Razorpay", prefix: "rzp_test_", body: csAlnum, min: 14, max: 14},
	{vendor: "Braintree", prefix: "access_token$sandbox$", body: csAnyByte, min: 16, max: 80},
	{vendor: "Duffel", prefix: "duffel_test_", body: csURL, min: 43, max: 43},
	{vendor: "Lob", prefix: "live_", body: csLowerHex, min: 35, max: 35},
	{vendor: "Lob", prefix: "test_", body: csLowerHex, min: 35, max: 35},
	{vendor: "GoCardless", prefix: "live_", body: csURL, min: 40, max: 40, check: isMixed},
	{vendor: "Slack", prefix: "xwfp-", body: csURL, min: 20, max: 260, check: hasDigit},
	{vendor: "Mailgun", prefix: "pubkey-", body: csLowerHex, min: 32, max: 32},
	{vendor: "SettleMint", prefix: "sm_aat_", body: csAlnum, min: 16, max: 16, check: isMixed},
	{vendor: "SettleMint", prefix: "sm_pat_", body: csAlnum, min: 16, max: 16, check: isMixed},
	{vendor: "SettleMint", prefix: "sm_sat_", body: csAlnum, min: 16, max: 16, check: isMixed},
	{vendor: "X", prefix: "AAAAAAAAAAAAAAAAAAAAA", body: csEscaped, min: 50, max: 120, check: isMixed},
	{vendor: "Grafana", prefix: "eyJrIjoi", body: csBase64, min: 60, max: 400},
	{vendor: "New Relic", prefix: "NRRA-", body: csAlnum, min: 36, max: 48},
	{vendor: "Sentry", prefix: "sntryi_", body: csLowerHex, min: 64, max: 64},
	{vendor: "PostHog", prefix: "phs_", body: csAlnum, min: 40, max: 48},
	{vendor: "Figma", prefix: "figdr_", body: csURL, min: 40, max: 60},
	{vendor: "Figma", prefix: "figo_", body: csURL, min: 40, max: 60},
	{vendor: "HubSpot", prefix: "pat-ap1-", body: csURL, min: 36, max: 36},
	// Models.
	{vendor: "ElevenLabs", prefix: "sk_", body: csLowerHex, min: 48, max: 48},
	{vendor: "Langfuse", prefix: "sk-lf-", body: csURL, min: 36, max: 36},
	{vendor: "Helicone", prefix: "sk-helicone-", body: csURL, min: 25, max: 60},
	{vendor: "Cerebras", prefix: "csk-", body: csLower, min: 48, max: 48},
	{vendor: "Together", prefix: "tgp_v1_", body: csURL, min: 40, max: 48},
	{vendor: "Jina", prefix: "jina_", body: csURL, min: 50, max: 64},
	{vendor: "Firecrawl", prefix: "fc-", body: csLowerHex, min: 32, max: 32},
	{vendor: "E2B", prefix: "e2b_", body: csLowerHex, min: 40, max: 40},
	{vendor: "RunPod", prefix: "rpa_", body: csUpper, min: 38, max: 46},
	{vendor: "Weights & Biases", prefix: "wandb_v1_", body: csURL, min: 60, max: 90},
	{vendor: "Apify", prefix: "apify_api_", body: csAlnum, min: 36, max: 40},
	{vendor: "Voyage AI", prefix: "pa-", body: csURL, min: 43, max: 43, check: isMixed, needs: ctxSecret},
	{vendor: "Statsig", prefix: "secret-", body: csAlnum, min: 43, max: 43, check: isMixed},
	// Keys of wallets: Base58Check (Bitcoin, WIF) and BIP 32.
	{vendor: "Bitcoin WIF", prefix: "5", body: csAlnum, min: 50, max: 50, check: wif},
	{vendor: "Bitcoin WIF", prefix: "K", body: csAlnum, min: 51, max: 51, check: wif},
	{vendor: "Bitcoin WIF", prefix: "L", body: csAlnum, min: 51, max: 51, check: wif},
	{vendor: "BIP 32", prefix: "xprv", body: csAlnum, min: 107, max: 107, check: extendedKey},
	{vendor: "BIP 32", prefix: "yprv", body: csAlnum, min: 107, max: 107, check: extendedKey},
	{vendor: "BIP 32", prefix: "zprv", body: csAlnum, min: 107, max: 107, check: extendedKey},
	{vendor: "Nostr", prefix: "nsec1", body: csLower, min: 58, max: 58},
}

// upperDashed says whether the body of a token is capitals and digits in groups.
func upperDashed(token []byte, prefix int) bool {
	dashes := 0
	for _, b := range token[prefix:] {
		switch {
		case b == '-':
			dashes++
		case b-'a' < 26 || b == '_':
			return false
		}
	}
	return dashes >= 4 && hasDigit(token, prefix)
}
