package ca_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lancre/build/ca"
	"lancre/build/certs"
	"lancre/build/internal/recipe"
	"lancre/internal/programs"
)

// openssl runs it in a directory.
func openssl(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("openssl", args...)
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("openssl %s: %v: %s", strings.Join(args, " "), err, text)
	}
}

// selfSigned is the self-signed certificate that OpenSSL makes with a key, by
// arguments of genpkey and, from "--" on, of req.
func selfSigned(t *testing.T, args string) string {
	t.Helper()
	programs.Need(t, "openssl")
	dir := t.TempDir()
	genpkey, req, _ := strings.Cut(args, " -- ")
	openssl(t, dir, append([]string{"genpkey", "-out", "key"}, strings.Fields(genpkey)...)...)
	openssl(t, dir, append([]string{"req", "-x509", "-key", "key", "-subj", "/CN=CA", "-out", "cert"}, strings.Fields(req)...)...)
	return filepath.Join(dir, "cert")
}

// OpenSSL's signatures by RSA-PSS verify, whatever the salt, and with keys that are for
// nothing else.
func TestOpenSSLsPSS(t *testing.T) {
	const rsa, pss = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048", "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048"
	const padded, salt = " -sigopt rsa_padding_mode:pss", " -sigopt rsa_pss_saltlen:"
	for _, args := range []string{
		rsa + " -- -sha256" + padded + salt + "32", // as BR section 7.1.3.2 has it
		rsa + " -- -sha256" + padded,               // the maximum of 3.0, the digest's of later versions
		rsa + " -- -sha256" + padded + salt + "222",
		rsa + " -- -sha384" + padded + salt + "20", // which is not spelled out
		rsa + " -- -sha512" + padded + salt + "1",
		pss + " -- -sha256",
		pss + " -pkeyopt rsa_pss_keygen_md:sha256 -pkeyopt rsa_pss_keygen_mgf1_md:sha256 -pkeyopt rsa_pss_keygen_saltlen:32 -- -sha256" + salt + "40",
	} {
		all, err := ca.Load([]string{selfSigned(t, args)})
		if err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		is := all.List[0]
		if err := is.Issued(is.Cert); err != nil || is.Weak != "" {
			t.Errorf("%s: %v, %s", args, err, is.Weak)
		}
		spoilt := *is.Cert
		spoilt.Signature = append([]byte{}, is.Cert.Signature...)
		spoilt.Signature[7] ^= 1
		if is.Issued(&spoilt) == nil {
			t.Errorf("%s: a spoilt signature verifies", args)
		}
	}
}

// A key that cannot verify anything here is named.
func TestStrangeKeysAreNamed(t *testing.T) {
	const ec = "-algorithm EC -pkeyopt ec_paramgen_curve:"
	for args, want := range map[string]string{
		ec + "brainpoolP256r1 -- -sha256":                                  "ECDSA on brainpoolP256r1",
		ec + "secp256k1 -- -sha256":                                        "ECDSA on secp256k1",
		ec + "P-256 -pkeyopt ec_param_enc:explicit -- -sha256":             "ECDSA on a curve that is spelled out",
		ec + "sect283k1 -- -sha256":                                        "ECDSA on the curve 1.3.132.0.16",
		"-algorithm ED448 --":                                              "public key is Ed448 (1.3.101.113)",
		"-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:1024 -- -sha256":      "RSA key of 1024 bits",
		"-algorithm RSA-PSS -pkeyopt rsa_pss_keygen_md:sha1 -- -sha1":      "RSA-PSS with SHA-1, which is not secure",
		"-algorithm RSA-PSS -pkeyopt rsa_pss_keygen_md:sha224 -- -sha224":  "the hash SHA-224 (2.16.840.1.101.3.4.2.4)",
		"-algorithm RSA-PSS -pkeyopt rsa_pss_keygen_md:sha256 -- -sha256 ": "MGF1 with the hash SHA-1",
	} {
		all, err := ca.Load([]string{selfSigned(t, args)})
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = all.List[0].Weak
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
}

// The name of an issuer is taken in another encoding if a certificate has it that the
// issuer signed.
func TestIssuerNames(t *testing.T) {
	programs.Need(t, "openssl")
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("ca.conf", "[req]\ndistinguished_name=n\n[n]\n[x]\nbasicConstraints=critical,CA:TRUE\n")
	openssl(t, dir, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "key")
	// One key signs as "Example CA" in a PrintableString, a UTF8String and a BMPString, and
	// as another CA.
	for file, args := range map[string]string{"ca": "default /CN=Example_CA", "utf8": "utf8only /CN=Example_CA", "spaced": "utf8only /CN=EXAMPLE__ca", "other": "default /CN=Another"} {
		mask, subject, _ := strings.Cut(args, " ")
		write(file+".conf", "[req]\nstring_mask="+mask+"\ndistinguished_name=n\n[n]\n[x]\nbasicConstraints=critical,CA:TRUE\n")
		openssl(t, dir, "req", "-x509", "-key", "key", "-config", file+".conf", "-extensions", "x", "-subj", strings.ReplaceAll(subject, "_", " "), "-out", file)
	}
	openssl(t, dir, "genpkey", "-algorithm", "ED25519", "-out", "key2")
	openssl(t, dir, "req", "-x509", "-key", "key2", "-config", "utf8.conf", "-extensions", "x", "-subj", "/CN=Example CA", "-out", "stranger")
	for file, want := range map[string]string{
		"utf8": "", "spaced": "", "ca": "",
		"other": "its issuer is CN=Another", "stranger": "not signed by the key of CN=Example CA",
	} {
		all, err := ca.Load([]string{filepath.Join(dir, "ca")}, filepath.Join(dir, file))
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", file, err, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		named := recipe.Must(certs.ReadFile(filepath.Join(dir, file)))[0]
		id := recipe.Must(certs.ID(named, 1, []byte{1}))
		if all.Find(&id) != all.List[0] || len(all.Named(named.RawSubject)) != 1 {
			t.Errorf("%s: the issuer is not found by this name", file)
		}
	}
}
