import java.lang.management.ManagementFactory;
import java.util.Date;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;
import javax.management.openmbean.CompositeDataSupport;
import javax.management.openmbean.CompositeType;
import javax.management.openmbean.OpenDataException;
import javax.management.openmbean.OpenType;
import javax.management.openmbean.SimpleType;
import javax.management.openmbean.TabularData;
import javax.management.openmbean.TabularDataSupport;
import javax.management.openmbean.TabularType;

/** One MBean of every kind of attribute a collector meets; arguments: how many more simple ones to register. */
public final class Beans {
    public enum Colour { RED, GREEN }

    public interface SampleMBean {
        int getCount();
        long getBig();
        double getRatio();
        float getShare();
        double getNotANumber();
        boolean isEnabled();
        Boolean getMaybe();
        String getName();
        String getNothing();
        Date getStarted();
        Colour getColour();
        AtomicLong getTotal();
        long[] getNumbers();
        CompositeData getUsage() throws OpenDataException;
        TabularData getTable() throws OpenDataException;
        int getBroken();
        int getWritable();
        void setWritable(int value);
    }

    public static final class Sample implements SampleMBean {
        private volatile int writable = 7;

        public int getCount() { return 42; }
        public long getBig() { return Long.MAX_VALUE; }
        public double getRatio() { return 0.25; }
        public float getShare() { return 0.5f; }
        public double getNotANumber() { return Double.NaN; }
        public boolean isEnabled() { return true; }
        public Boolean getMaybe() { return Boolean.FALSE; }
        public String getName() { return "sample \u00e9 \ud83d\ude00"; }
        public String getNothing() { return null; }
        public Date getStarted() { return new Date(1_700_000_000_123L); }
        public Colour getColour() { return Colour.GREEN; }
        public AtomicLong getTotal() { return new AtomicLong(99); }
        public long[] getNumbers() { return new long[] {1, 2, 3}; }
        public CompositeData getUsage() throws OpenDataException { return usage("heap", 10, 20); }
        public int getBroken() { throw new IllegalStateException("broken on purpose"); }
        public int getWritable() { return writable; }
        public void setWritable(int value) { writable = value; }

        public TabularData getTable() throws OpenDataException {
            TabularDataSupport table = new TabularDataSupport(
                new TabularType("Table", "rows by name", usageType(), new String[] {"name"}));
            table.put(usage("eden", 1, 2));
            table.put(usage("old", 3, 4));
            return table;
        }
    }

    private static CompositeType usageType() throws OpenDataException {
        String[] names = {"name", "used", "max"};
        OpenType<?>[] types = {SimpleType.STRING, SimpleType.LONG, SimpleType.LONG};
        return new CompositeType("Usage", "used and max", names, names, types);
    }

    private static CompositeData usage(String name, long used, long max) throws OpenDataException {
        String[] names = {"name", "used", "max"};
        return new CompositeDataSupport(usageType(), names, new Object[] {name, used, max});
    }

    public static void main(String[] arguments) throws Exception {
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        server.registerMBean(new Sample(), new ObjectName("podmates.test:type=Sample,name=one"));
        server.registerMBean(new Sample(), new ObjectName("podmates.test:type=Sample,name=\"a,b=c\""));
        int more = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 0;
        for (int index = 0; index < more; index++) {
            server.registerMBean(new Sample(), new ObjectName("podmates.many:type=Sample,index=" + index));
        }
        System.out.println("ready");
        new CountDownLatch(1).await();
    }
}
