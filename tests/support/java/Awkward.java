import java.lang.management.ManagementFactory;
import java.math.BigInteger;
import java.rmi.registry.LocateRegistry;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import javax.management.Attribute;
import javax.management.AttributeList;
import javax.management.AttributeNotFoundException;
import javax.management.DynamicMBean;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.remote.JMXConnectorServerFactory;
import javax.management.remote.JMXServiceURL;

/**
 * MBeans that a collector stumbles over. The argument {@code slow} registers one that never answers;
 * {@code impatient PORT MILLISECONDS} adds a connector that closes a session after so long without a call.
 */
public final class Awkward {
    public interface PoisonedMBean {
        int getAlpha();
        Object getBroken();
        int getGamma();
        Object getWorse();
        int getZulu();
    }

    /** Two of five attributes cannot be serialised. */
    public static final class Poisoned implements PoisonedMBean {
        public int getAlpha() { return 1; }
        public Object getBroken() { return new Object(); }
        public int getGamma() { return 3; }
        public Object getWorse() { return Thread.currentThread(); }
        public int getZulu() { return 26; }
    }

    public interface NestedMXBean {
        Map<String, Map<String, Integer>> getTables();
        Map<String, Level> getLevels();
        BigInteger getHuge();
        int[] getArray();
        String getText();
        Integer getNothing();
        Double getInfinite();
    }

    public static final class Level {
        private final int depth;

        Level(int depth) { this.depth = depth; }

        public int getDepth() { return depth; }
        public boolean isTop() { return depth == 0; }
        public String getNote() { return null; }
    }

    public static final class Nested implements NestedMXBean {
        public Map<String, Map<String, Integer>> getTables() {
            Map<String, Map<String, Integer>> tables = new TreeMap<>();
            tables.put("a", Collections.singletonMap("x", 1));
            tables.put("b", Collections.singletonMap("y", 2));
            return tables;
        }

        public Map<String, Level> getLevels() {
            Map<String, Level> levels = new LinkedHashMap<>();
            levels.put("say \"hi\"\n", new Level(0));
            levels.put("\u00e9 \ud83d\ude00", new Level(1));
            return levels;
        }

        public BigInteger getHuge() { return new BigInteger("123456789012345678901234567890"); }
        public int[] getArray() { return new int[] {1, 2}; }
        public String getText() { return "text"; }
        public Integer getNothing() { return null; }
        public Double getInfinite() { return Double.NEGATIVE_INFINITY; }
    }

    public interface ValueMBean {
        int getValue();
    }

    public static final class Value implements ValueMBean {
        private final boolean slow;

        Value(boolean slow) { this.slow = slow; }

        public int getValue() {
            try {
                if (slow) {
                    new CountDownLatch(1).await();
                }
            } catch (InterruptedException interrupted) {
                return 0;
            }
            return 1;
        }
    }

    /** Refuses to have several attributes read at once. */
    public static final class OneAtATime implements DynamicMBean {
        public Object getAttribute(String name) throws AttributeNotFoundException {
            if (name.equals("Good")) {
                return 5L;
            }
            throw new AttributeNotFoundException(name);
        }

        public AttributeList getAttributes(String[] names) { throw new IllegalStateException("one at a time"); }
        public void setAttribute(Attribute attribute) { }
        public AttributeList setAttributes(AttributeList attributes) { return new AttributeList(); }
        public Object invoke(String action, Object[] parameters, String[] signature) { return null; }

        public MBeanInfo getMBeanInfo() {
            MBeanAttributeInfo[] attributes = {
                new MBeanAttributeInfo("Bad", "long", "throws", true, false, false),
                new MBeanAttributeInfo("Good", "long", "the fifth", true, false, false),
            };
            return new MBeanInfo("OneAtATime", "", attributes, null, null, null);
        }
    }

    private static void impatient(MBeanServer server, int port, long milliseconds) throws Exception {
        LocateRegistry.createRegistry(port);
        String address = "service:jmx:rmi:///jndi/rmi://127.0.0.1:" + port + "/jmxrmi";
        Map<String, Object> settings = new TreeMap<>();
        settings.put("jmx.remote.x.server.connection.timeout", milliseconds);
        JMXConnectorServerFactory.newJMXConnectorServer(new JMXServiceURL(address), settings, server).start();
    }

    public static void main(String[] arguments) throws Exception {
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        server.registerMBean(new Poisoned(), new ObjectName("awkward:type=Poisoned"));
        server.registerMBean(new Nested(), new ObjectName("awkward:type=Nested"));
        server.registerMBean(new OneAtATime(), new ObjectName("awkward:type=OneAtATime"));
        String[] names = {
            "awkward.names:zulu=first,type=Unsorted,alpha=x",
            "awkward.names:type=Quoted,name=\"a,b=c:\\\"d\\\"\\*\\?\\\\\"",
            "awkward.names:type=Blank,name= spaces around ",
            "awkward.names:type=Empty,name=",
            "awkward.names:type=\u00dcml\u00e4ut,name=\ud83d\ude00",
            "awkward.names:9th=1,a-b=2,a_b=3",
            "awkward-names.9:type=Value_total",
            "awkward.names:type=Line,name=\"one\\ntwo\"",
        };
        for (String name : names) {
            server.registerMBean(new Value(false), new ObjectName(name));
        }
        if (arguments.length > 0 && arguments[0].equals("slow")) {
            server.registerMBean(new Value(true), new ObjectName("awkward:type=Slow"));
        }
        if (arguments.length > 2 && arguments[0].equals("impatient")) {
            impatient(server, Integer.parseInt(arguments[1]), Long.parseLong(arguments[2]));
        }
        System.out.println("ready");
        new CountDownLatch(1).await();
    }
}
