import java.io.FileInputStream;
import java.security.cert.*;
import java.util.Set;
import java.util.TreeSet;

/** Reads the CRL in the first file, verifies it by the certificate in the second, and prints what it says. */
class ReadCRL {
    public static void main(String[] args) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        X509CRL crl;
        try (FileInputStream in = new FileInputStream(args[0])) {
            crl = (X509CRL) factory.generateCRL(in);
        }
        try (FileInputStream in = new FileInputStream(args[1])) {
            crl.verify(factory.generateCertificate(in).getPublicKey());
        }
        Set<String> lines = new TreeSet<>();
        if (crl.getRevokedCertificates() != null) {
            for (X509CRLEntry e : crl.getRevokedCertificates()) {
                int reason = e.getRevocationReason() == null ? -1 : e.getRevocationReason().ordinal();
                lines.add(e.getSerialNumber().toString(16) + " " + e.getRevocationDate().getTime() / 1000 + " " + reason);
            }
        }
        System.out.println(crl.getNextUpdate().getTime() / 1000 - crl.getThisUpdate().getTime() / 1000 + " " + crl.getCriticalExtensionOIDs());
        lines.forEach(System.out::println);
    }
}
