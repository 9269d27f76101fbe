import java.beans.ConstructorProperties;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/**
 * A small worker that is observed by JMX: it takes orders from two queues and counts them.
 *
 * <p>Run as a single source file, {@code java ExampleJvm.java}, or compiled. The argument is the pause
 * between two orders in milliseconds, 100 if absent.
 */
public final class ExampleJvm {

  /** Becomes CompositeData. */
  public static final class Latency {
    private final long count;
    private final double meanSeconds;
    private final double maxSeconds;

    @ConstructorProperties({"count", "meanSeconds", "maxSeconds"})
    public Latency(long count, double meanSeconds, double maxSeconds) {
      this.count = count;
      this.meanSeconds = meanSeconds;
      this.maxSeconds = maxSeconds;
    }

    public long getCount() {
      return count;
    }

    public double getMeanSeconds() {
      return meanSeconds;
    }

    public double getMaxSeconds() {
      return maxSeconds;
    }
  }

  public interface OrdersMXBean {
    long getProcessed();

    boolean isAccepting();

    String getState();

    Latency getLatency();

    /** Becomes TabularData with the columns key and value. */
    Map<String, Long> getProcessedByCountry();
  }

  public interface QueueMXBean {
    int getSize();

    int getCapacity();
  }

  static final class Orders implements OrdersMXBean {
    private static final String[] COUNTRIES = {"CH", "DE", "FR"};
    private final AtomicLong processed = new AtomicLong();
    private volatile double longest;
    private volatile double total;

    void process(double seconds) {
      processed.incrementAndGet();
      total += seconds;
      longest = Math.max(longest, seconds);
    }

    @Override
    public long getProcessed() {
      return processed.get();
    }

    @Override
    public boolean isAccepting() {
      return true;
    }

    @Override
    public String getState() {
      return "RUNNING";
    }

    @Override
    public Latency getLatency() {
      long count = processed.get();
      return new Latency(count, count == 0 ? 0 : total / count, longest);
    }

    @Override
    public Map<String, Long> getProcessedByCountry() {
      Map<String, Long> counts = new TreeMap<>();
      long count = processed.get();
      for (int i = 0; i < COUNTRIES.length; i++) {
        counts.put(COUNTRIES[i], (count + i) / COUNTRIES.length);
      }
      return counts;
    }
  }

  static final class Queue implements QueueMXBean {
    private final int capacity;
    private volatile int size;

    Queue(int capacity) {
      this.capacity = capacity;
    }

    @Override
    public int getSize() {
      return size;
    }

    @Override
    public int getCapacity() {
      return capacity;
    }
  }

  private ExampleJvm() {}

  /** Runs until the process is ended. */
  public static void main(String[] arguments) throws Exception {
    long pause = arguments.length > 0 ? Long.parseLong(arguments[0]) : 100;
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    Orders orders = new Orders();
    Queue[] queues = {new Queue(100), new Queue(20)};
    server.registerMBean(orders, new ObjectName("example:type=Orders"));
    server.registerMBean(queues[0], new ObjectName("example:type=Queue,name=incoming"));
    server.registerMBean(queues[1], new ObjectName("example:type=Queue,name=\"to be paid\""));
    System.out.println("ready");
    for (long round = 0; ; round++) {
      orders.process((round % 10 + 1) / 1000.0);
      queues[0].size = (int) (round % 50);
      queues[1].size = (int) (round % 7);
      Thread.sleep(pause);
    }
  }
}
