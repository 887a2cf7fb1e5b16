import java.io.FileInputStream;
import java.net.URI;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateRevokedException;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PKIXRevocationChecker.Option;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Validates certificates of one issuer with Java's PKIX revocation checker and
 * prints a line for each: "valid", or why not.
 *
 *     java Revocation.java ISSUER CERT=OPTION,...[@RESPONDER]...
 *
 * The options are those of PKIXRevocationChecker. Without a responder, Java asks
 * at the URLs in the certificate.
 */
class Revocation {
    static CertificateFactory x509;

    public static void main(String[] args) throws Exception {
        x509 = CertificateFactory.getInstance("X.509");
        X509Certificate issuer = read(args[0]);
        for (String check : Arrays.copyOfRange(args, 1, args.length)) {
            System.out.println(validate(issuer, check));
        }
    }

    static String validate(X509Certificate issuer, String check) throws Exception {
        String[] parts = check.split("[=@]");
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        checker.setOptions(Arrays.stream(parts[1].split(",")).map(Option::valueOf).collect(Collectors.toSet()));
        if (parts.length > 2) {
            checker.setOcspResponder(URI.create(parts[2]));
        }
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(issuer, null)));
        parameters.addCertPathChecker(checker);
        try {
            validator.validate(x509.generateCertPath(List.of(read(parts[0]))), parameters);
        } catch (CertPathValidatorException e) {
            return e.getReason() + ": " + cause(e);
        }
        return Stream.concat(Stream.of("valid"), checker.getSoftFailExceptions().stream().map(Revocation::cause))
            .collect(Collectors.joining(", although: "));
    }

    /** Returns the reason of a revocation, or what went wrong. */
    static String cause(CertPathValidatorException e) {
        if (e.getCause() instanceof CertificateRevokedException revoked) {
            return revoked.getRevocationReason().toString();
        }
        return e.getMessage();
    }

    static X509Certificate read(String file) throws Exception {
        try (FileInputStream in = new FileInputStream(file)) {
            return (X509Certificate) x509.generateCertificate(in);
        }
    }
}
