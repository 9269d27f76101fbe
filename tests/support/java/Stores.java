import java.io.FileInputStream;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import java.security.cert.X509Certificate;

/** Prints what Java makes of stores: a line for each argument FILE PASSWORD, keys, then whom it believes. */
public class Stores {
    public static void main(String[] words) throws Exception {
        for (int at = 0; at < words.length; at += 2) {
            KeyStore store = KeyStore.getInstance("PKCS12");
            try (FileInputStream file = new FileInputStream(words[at])) {
                store.load(file, words[at + 1].toCharArray());
            }
            List<String> keys = new ArrayList<>();
            for (String alias : Collections.list(store.aliases())) {
                if (store.isKeyEntry(alias)) {
                    keys.add(alias + "=" + store.getCertificateChain(alias).length);
                }
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
            factory.init(store);
            List<String> believed = new ArrayList<>();
            for (X509Certificate one : ((X509TrustManager) factory.getTrustManagers()[0]).getAcceptedIssuers()) {
                believed.add(one.getSubjectX500Principal().getName());
            }
            Collections.sort(keys);
            Collections.sort(believed);
            System.out.println(String.join(",", keys) + " " + String.join(",", believed));
        }
    }
}
