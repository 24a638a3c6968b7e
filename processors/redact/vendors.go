package redact

import "hash/crc32"

// vendorRules are the tokens that a prefix tells, from the vendors' own
// descriptions of their formats. Where one prefix begins another, the longer
// stands first.
var vendorRules = []vendorRule{
	// Clouds and hosting.
	{vendor: "AWS", prefix: "AKIA", body: csBase32, min: 16, max: 16, check: awsKey},
	{vendor: "AWS", prefix: "ASIA", body: csBase32, min: 16, max: 16, check: awsKey},
	{vendor: "AWS", prefix: "ABIA", body: csBase32, min: 16, max: 16, check: awsKey},
	{vendor: "AWS", prefix: "ACCA", body: csBase32, min: 16, max: 16, check: awsKey},
	{vendor: "AWS Bedrock", prefix: "ABSK", body: csBase64, min: 100, max: 280},
	{vendor: "Google API key", prefix: "AIza", body: csURL, min: 35, max: 35},
	{vendor: "Google OAuth secret", prefix: "GOCSPX-", body: csURL, min: 28, max: 28},
	{vendor: "Google OAuth token", prefix: "ya29.", body: csDotted, min: 30, max: 2048},
	{vendor: "DigitalOcean", prefix: "dop_v1_", body: csLowerHex, min: 64, max: 64},
	{vendor: "DigitalOcean", prefix: "doo_v1_", body: csLowerHex, min: 64, max: 64},
	{vendor: "DigitalOcean", prefix: "dor_v1_", body: csLowerHex, min: 64, max: 64},
	{vendor: "Alibaba Cloud", prefix: "LTAI", body: csAlnum, min: 12, max: 26, check: isMixed},
	{vendor: "Tencent Cloud", prefix: "AKID", body: csAlnum, min: 32, max: 32},
	{vendor: "Heroku", prefix: "HRKU-", body: csURL, min: 36, max: 64},
	{vendor: "Fly.io", prefix: "fo1_", body: csURL, min: 43, max: 43},
	{vendor: "Fly.io", prefix: "fm1r_", body: csBase64, min: 100, max: 2000},
	{vendor: "Fly.io", prefix: "fm2_", body: csBase64, min: 100, max: 2000},
	{vendor: "Scaleway", prefix: "SCW", body: csUpper, min: 17, max: 17, check: isMixed},
	{vendor: "Vercel Blob", prefix: "vercel_blob_rw_", body: csURL, min: 30, max: 80},
	{vendor: "Netlify", prefix: "nfp_", body: csAlnum, min: 36, max: 40},
	{vendor: "Render", prefix: "rnd_", body: csAlnum, min: 28, max: 40},
	{vendor: "Supabase", prefix: "sbp_", body: csLowerHex, min: 40, max: 40},
	{vendor: "Supabase", prefix: "sb_secret_", body: csURL, min: 30, max: 45},
	{vendor: "PlanetScale", prefix: "pscale_tkn_", body: csDotted, min: 32, max: 64},
	{vendor: "PlanetScale", prefix: "pscale_pw_", body: csDotted, min: 32, max: 64},
	{vendor: "PlanetScale", prefix: "pscale_oauth_", body: csDotted, min: 32, max: 64},
	{vendor: "Neon", prefix: "napi_", body: csAlnum, min: 40, max: 80},
	{vendor: "Cloudflare origin CA", prefix: "v1.0-", body: csURL, min: 160, max: 200},
	{vendor: "Azure Storage", prefix: "AccountKey=", body: csBase64, min: 86, max: 88},
	// Code hosting and building.
	{vendor: "GitHub", prefix: "ghp_", body: csAlnum, min: 36, max: 251, check: githubToken},
	{vendor: "GitHub", prefix: "gho_", body: csAlnum, min: 36, max: 251, check: githubToken},
	{vendor: "GitHub", prefix: "ghu_", body: csAlnum, min: 36, max: 251, check: githubToken},
	{vendor: "GitHub", prefix: "ghs_", body: csAlnum, min: 36, max: 251, check: githubToken},
	{vendor: "GitHub", prefix: "ghr_", body: csAlnum, min: 36, max: 251, check: githubToken},
	{vendor: "GitHub", prefix: "github_pat_", body: csURL, min: 82, max: 82, check: isMixed},
	{vendor: "GitLab", prefix: "glpat-", body: csDotted, min: 20, max: 60},
	{vendor: "GitLab", prefix: "gldt-", body: csURL, min: 20, max: 40},
	{vendor: "GitLab", prefix: "glrt-", body: csDotted, min: 20, max: 60},
	{vendor: "GitLab", prefix: "glcbt-", body: csURL, min: 20, max: 60},
	{vendor: "GitLab", prefix: "glptt-", body: csLowerHex, min: 40, max: 40},
	{vendor: "GitLab", prefix: "glft-", body: csURL, min: 20, max: 40},
	{vendor: "GitLab", prefix: "glimt-", body: csURL, min: 25, max: 25},
	{vendor: "GitLab", prefix: "glagent-", body: csURL, min: 50, max: 50},
	{vendor: "GitLab", prefix: "gloas-", body: csURL, min: 64, max: 64},
	{vendor: "GitLab", prefix: "glsoat-", body: csURL, min: 20, max: 40},
	{vendor: "GitLab", prefix: "GR1348941", body: csURL, min: 20, max: 20},
	{vendor: "Bitbucket", prefix: "ATBB", body: csAlnum, min: 32, max: 32},
	{vendor: "Bitbucket", prefix: "ATCTT3xFfG", body: csBase64, min: 100, max: 300},
	{vendor: "Atlassian", prefix: "ATATT3xFfG", body: csBase64, min: 100, max: 300},
	{vendor: "npm", prefix: "npm_", body: csAlnum, min: 36, max: 36, check: isMixed},
	{vendor: "PyPI", prefix: "pypi-AgEIcHlwaS5vcmc", body: csURL, min: 50, max: 400},
	{vendor: "PyPI test", prefix: "pypi-AgENdGVzdC5weXBpLm9yZw", body: csURL, min: 50, max: 400},
	{vendor: "RubyGems", prefix: "rubygems_", body: csLowerHex, min: 48, max: 48},
	{vendor: "crates.io", prefix: "cio", body: csAlnum, min: 32, max: 32, check: isMixed},
	{vendor: "NuGet", prefix: "oy2", body: csLower, min: 43, max: 43},
	{vendor: "Clojars", prefix: "CLOJARS_", body: csLower, min: 60, max: 60},
	{vendor: "Docker Hub", prefix: "dckr_pat_", body: csURL, min: 27, max: 27},
	{vendor: "Docker Hub", prefix: "dckr_oat_", body: csURL, min: 27, max: 40},
	{vendor: "CircleCI", prefix: "CCIPAT_", body: csURL, min: 60, max: 80},
	{vendor: "Buildkite", prefix: "bkua_", body: csLowerHex, min: 40, max: 40},
	{vendor: "Terraform Cloud", prefix: "atlasv1.", body: csURL, min: 60, max: 70},
	{vendor: "Pulumi", prefix: "pul-", body: csLowerHex, min: 40, max: 40},
	{vendor: "Vault", prefix: "hvs.", body: csURL, min: 24, max: 200},
	{vendor: "Vault", prefix: "hvb.", body: csURL, min: 90, max: 300},
	{vendor: "Doppler", prefix: "dp.pt.", body: csAlnum, min: 40, max: 44},
	{vendor: "Doppler", prefix: "dp.st.", body: csDotted, min: 40, max: 70},
	{vendor: "SonarQube", prefix: "sqp_", body: csLowerHex, min: 40, max: 40},
	{vendor: "SonarQube", prefix: "squ_", body: csLowerHex, min: 40, max: 40},
	{vendor: "SonarQube", prefix: "sqa_", body: csLowerHex, min: 40, max: 40},
	{vendor: "Sourcegraph", prefix: "sgp_", body: csURL, min: 40, max: 60},
	{vendor: "JFrog", prefix: "AKCp", body: csAlnum, min: 69, max: 73},
	{vendor: "JFrog", prefix: "cmVmdGtuO", body: csBase64, min: 50, max: 60},
	{vendor: "Snyk", prefix: "snyk_uat.", body: csDotted, min: 30, max: 200},
	{vendor: "Postman", prefix: "PMAK-", body: csURL, min: 59, max: 59},
	{vendor: "ReadMe", prefix: "rdme_", body: csLower, min: 70, max: 70},
	{vendor: "Typeform", prefix: "tfp_", body: csDotted, min: 40, max: 64},
	{vendor: "age", prefix: "AGE-SECRET-KEY-1", body: csUpper, min: 58, max: 58},
	{vendor: "1Password", prefix: "ops_eyJ", body: csBase64, min: 200, max: 4000},
	{vendor: "Tailscale", prefix: "tskey-", body: csURL, min: 20, max: 80},
	// Chat and mail.
	{vendor: "Slack", prefix: "xoxb-", body: csURL, min: 20, max: 260, check: hasDigit},
	{vendor: "Slack", prefix: "xoxp-", body: csURL, min: 20, max: 260, check: hasDigit},
	{vendor: "Slack", prefix: "xoxa-", body: csURL, min: 20, max: 260, check: hasDigit},
	{vendor: "Slack", prefix: "xoxr-", body: csURL, min: 20, max: 260, check: hasDigit},
	{vendor: "Slack", prefix: "xoxs-", body: csURL, min: 20, max: 260, check: hasDigit},
	{vendor: "Slack", prefix: "xoxc-", body: csURL, min: 20, max: 260, check: hasDigit},
	{vendor: "Slack", prefix: "xoxo-", body: csURL, min: 20, max: 260, check: hasDigit},
	{vendor: "Slack", prefix: "xoxe-", body: csURL, min: 20, max: 260, check: hasDigit},
	{vendor: "Slack", prefix: "xoxe.xoxp-", body: csURL, min: 20, max: 260, check: hasDigit},
	{vendor: "Slack", prefix: "xoxe.xoxb-", body: csURL, min: 20, max: 260, check: hasDigit},
	{vendor: "Slack", prefix: "xapp-", body: csURL, min: 40, max: 260, check: hasDigit},
	{vendor: "SendGrid", prefix: "SG.", body: csDotted, min: 66, max: 66},
	{vendor: "Mailchimp Transactional", prefix: "md-", body: csURL, min: 22, max: 22, check: isMixed, needs: ctxSecret},
	{vendor: "Brevo", prefix: "xkeysib-", body: csURL, min: 81, max: 81},
	{vendor: "Brevo", prefix: "xsmtpsib-", body: csURL, min: 81, max: 81},
	{vendor: "Mailgun", prefix: "key-", body: csLowerHex, min: 32, max: 32},
	{vendor: "Resend", prefix: "re_", body: csURL, min: 30, max: 40, check: isMixed},
	{vendor: "Twilio", prefix: "SK", body: csLowerHex, min: 32, max: 32},
	{vendor: "Intercom", prefix: "dG9rO", body: csBase64, min: 55, max: 60},
	// Payment and shops.
	{vendor: "Stripe", prefix: "sk_live_", body: csAlnum, min: 24, max: 247},
	{vendor: "Stripe", prefix: "sk_test_", body: csAlnum, min: 24, max: 247},
	{vendor: "Stripe", prefix: "rk_live_", body: csAlnum, min: 24, max: 247},
	{vendor: "Stripe", prefix: "rk_test_", body: csAlnum, min: 24, max: 247},
	{vendor: "Stripe webhook", prefix: "whsec_", body: csBase64, min: 32, max: 64},
	{vendor: "Square", prefix: "EAAA", body: csURL, min: 60, max: 60, check: isMixed},
	{vendor: "Square", prefix: "sq0atp-", body: csURL, min: 22, max: 22},
	{vendor: "Square", prefix: "sq0csp-", body: csURL, min: 43, max: 43},
	{vendor: "Braintree", prefix: "access_token$production$", body: csAnyByte, min: 16, max: 80},
	{vendor: "Adyen", prefix: "AQE", body: csBase64, min: 100, max: 200},
	{vendor: "Plaid", prefix: "access-production-", body: csURL, min: 36, max: 36},
	{vendor: "Plaid", prefix: "access-sandbox-", body: csURL, min: 36, max: 36},
	{vendor: "Shopify", prefix: "shpat_", body: csHex, min: 32, max: 32},
	{vendor: "Shopify", prefix: "shpca_", body: csHex, min: 32, max: 32},
	{vendor: "Shopify", prefix: "shppa_", body: csHex, min: 32, max: 32},
	{vendor: "Shopify", prefix: "shpss_", body: csHex, min: 32, max: 32},
	{vendor: "Shippo", prefix: "shippo_live_", body: csLowerHex, min: 40, max: 40},
	{vendor: "EasyPost", prefix: "EZAK", body: csAlnum, min: 54, max: 54},
	{vendor: "Flutterwave", prefix: "FLWSECK-", body: csURL, min: 34, max: 50},
	{vendor: "Razorpay", prefix: "rzp_live_", body: csAlnum, min: 14, max: 14},
	// Models and data.
	{vendor: "Anthropic", prefix: "sk-ant-", body: csURL, min: 32, max: 180, check: isMixed},
	{vendor: "OpenRouter", prefix: "sk-or-v1-", body: csLowerHex, min: 64, max: 64},
	{vendor: "OpenAI", prefix: "sk-proj-", body: csURL, min: 40, max: 240, check: isMixed},
	{vendor: "OpenAI", prefix: "sk-svcacct-", body: csURL, min: 40, max: 240, check: isMixed},
	{vendor: "OpenAI", prefix: "sk-admin-", body: csURL, min: 40, max: 240, check: isMixed},
	{vendor: "OpenAI", prefix: "sk-", body: csAlnum, min: 32, max: 64, check: isMixed},
	{vendor: "Hugging Face", prefix: "hf_", body: csAlnum, min: 34, max: 40, check: isMixed},
	{vendor: "Hugging Face", prefix: "api_org_", body: csAlnum, min: 34, max: 34},
	{vendor: "Replicate", prefix: "r8_", body: csAlnum, min: 37, max: 37},
	{vendor: "Groq", prefix: "gsk_", body: csAlnum, min: 52, max: 52},
	{vendor: "Perplexity", prefix: "pplx-", body: csAlnum, min: 48, max: 56},
	{vendor: "xAI", prefix: "xai-", body: csAlnum, min: 80, max: 80},
	{vendor: "Pinecone", prefix: "pcsk_", body: csURL, min: 60, max: 80},
	{vendor: "Tavily", prefix: "tvly-", body: csURL, min: 32, max: 48},
	{vendor: "LangSmith", prefix: "lsv2_pt_", body: csURL, min: 40, max: 45},
	{vendor: "LangSmith", prefix: "lsv2_sk_", body: csURL, min: 40, max: 45},
	{vendor: "Databricks", prefix: "dapi", body: csLowerHex, min: 32, max: 34, check: isMixed},
	{vendor: "Airtable", prefix: "pat", body: csDotted, min: 79, max: 79},
	{vendor: "Notion", prefix: "ntn_", body: csAlnum, min: 43, max: 46},
	{vendor: "Notion", prefix: "secret_", body: csAlnum, min: 43, max: 43},
	{vendor: "Linear", prefix: "lin_api_", body: csAlnum, min: 40, max: 40},
	{vendor: "Linear", prefix: "lin_oauth_", body: csLowerHex, min: 64, max: 64},
	{vendor: "Figma", prefix: "figd_", body: csURL, min: 40, max: 44},
	{vendor: "Asana", prefix: "asana_pat_", body: csURL, min: 30, max: 80},
	{vendor: "HubSpot", prefix: "pat-na1-", body: csURL, min: 36, max: 36},
	{vendor: "HubSpot", prefix: "pat-eu1-", body: csURL, min: 36, max: 36},
	{vendor: "Contentful", prefix: "CFPAT-", body: csURL, min: 43, max: 43},
	{vendor: "Algolia", prefix: "ALGOLIA", body: csAlnum, min: 26, max: 32, needs: ctxSecret},
	{vendor: "Mapbox", prefix: "sk.eyJ", body: csDotted, min: 60, max: 200},
	{vendor: "Prefect", prefix: "pnu_", body: csAlnum, min: 36, max: 36},
	{vendor: "Duffel", prefix: "duffel_live_", body: csURL, min: 43, max: 43},
	{vendor: "Frame.io", prefix: "fio-u-", body: csURL, min: 64, max: 64},
	// Watching.
	{vendor: "Grafana Cloud", prefix: "glc_", body: csBase64, min: 32, max: 400},
	{vendor: "Grafana", prefix: "glsa_", body: csURL, min: 41, max: 41},
	{vendor: "New Relic", prefix: "NRAK-", body: csUpper, min: 27, max: 27},
	{vendor: "New Relic", prefix: "NRJS-", body: csLowerHex, min: 19, max: 19},
	{vendor: "New Relic", prefix: "NRII-", body: csURL, min: 32, max: 32},
	{vendor: "Sentry", prefix: "sntrys_", body: csBase64, min: 100, max: 400},
	{vendor: "Sentry", prefix: "sntryu_", body: csLowerHex, min: 64, max: 64},
	{vendor: "Dynatrace", prefix: "dt0c01.", body: csDotted, min: 89, max: 89},
	{vendor: "Dynatrace", prefix: "dt0s01.", body: csDotted, min: 70, max: 100},
	{vendor: "PostHog", prefix: "phx_", body: csAlnum, min: 40, max: 48},
	{vendor: "Honeycomb", prefix: "hcaik_", body: csLower, min: 58, max: 58},
	{vendor: "LaunchDarkly", prefix: "sdk-", body: csURL, min: 36, max: 36},
	{vendor: "LaunchDarkly", prefix: "api-", body: csURL, min: 36, max: 36, needs: ctxSecret},
	// Social networks.
	{vendor: "Facebook", prefix: "EAACEdEose0cBA", body: csAlnum, min: 20, max: 300},
	{vendor: "Facebook", prefix: "EAA", body: csAlnum, min: 90, max: 300, check: isMixed},
	{vendor: "Twitch", prefix: "oauth:", body: csLower, min: 30, max: 30, check: isMixed},
}

func isMixed(token []byte, prefix int) bool { return mixed(token[prefix:]) }

func hasDigit(token []byte, prefix int) bool {
	for _, b := range token[prefix:] {
		if isDigit(b) {
			return true
		}
	}
	return false
}

// awsKey refuses the keys of AWS's own documentation.
func awsKey(token []byte, _ int) bool {
	return string(token[len(token)-7:]) != "EXAMPLE"
}

// githubToken checks the last six characters: the CRC-32 of the random part in
// base 62 (GitHub, "Behind GitHub's new authentication token formats", 2021).
// App tokens (ghu_, ghs_, ghr_) come in other lengths too, and all may grow to
// 255 characters; no checksum is described for those.
func githubToken(token []byte, prefix int) bool {
	body := token[prefix:]
	if len(body) != 36 {
		return (token[2] != 'p' && token[2] != 'o' || len(body) > 60) && mixed(body)
	}
	return base62CRC(body)
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func base62CRC(body []byte) bool {
	cut := len(body) - 6
	sum := crc32.ChecksumIEEE(body[:cut])
	for i := len(body) - 1; i >= cut; i-- {
		if body[i] != base62[sum%62] {
			return false
		}
		sum /= 62
	}
	return true
}
