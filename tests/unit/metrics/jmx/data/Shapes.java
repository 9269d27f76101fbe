import java.io.ByteArrayOutputStream;
import java.io.Externalizable;
import java.io.ObjectInput;
import java.io.ObjectOutput;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeDataSupport;
import javax.management.openmbean.CompositeType;
import javax.management.openmbean.OpenType;
import javax.management.openmbean.SimpleType;
import javax.management.openmbean.TabularDataSupport;
import javax.management.openmbean.TabularType;

/** Prints the object streams of shapes.txt, a name and base64 a line: {@code java Shapes.java > shapes.txt}. */
public final class Shapes {
  static class Parent implements Serializable {
    private static final long serialVersionUID = 1;
    byte small = -3;
    String name = "parent";
    double ratio = 0.25;
  }

  static final class Child extends Parent {
    private static final long serialVersionUID = 2;
    short width = 12;
    char letter = '\u00e9';
    boolean on = true;
    int[] numbers = {1, -2, 3};
    float share = 1.1f;
    Object nothing = null;
    long big = Long.MIN_VALUE;
  }

  public static final class Parcel implements Externalizable {
    private static final long serialVersionUID = 3;

    @Override
    public void writeExternal(ObjectOutput out) throws java.io.IOException {
      out.writeInt(7);
      out.writeObject("inside");
      out.write(new byte[300]);
    }

    @Override
    public void readExternal(ObjectInput in) {}
  }

  static final class Handler implements InvocationHandler, Serializable {
    private static final long serialVersionUID = 4;
    int token = 99;

    @Override
    public Object invoke(Object proxy, java.lang.reflect.Method method, Object[] arguments) {
      return null;
    }
  }

  private static void print(String name, Object... values) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ObjectOutputStream out = new ObjectOutputStream(bytes);
    for (Object value : values) {
      out.writeObject(value);
    }
    out.close();
    System.out.println(name + " " + Base64.getEncoder().encodeToString(bytes.toByteArray()));
  }

  public static void main(String[] arguments) throws Exception {
    print("null", (Object) null);
    print("integer", 5);
    print("long", Long.MAX_VALUE);
    print("short", (short) -12);
    print("byte", (byte) -1);
    print("double", 0.1);
    print("float", 1.1f);
    print("boolean", true);
    print("character", 'x');
    print("string", "text");
    print("unicode", "\u00e9\0\ud83d\ude00");
    print("lone surrogate", "a\ud83d");
    print("date", new Date(1_700_000_000_123L));
    print("big integer", new BigInteger("-123456789012345678901234567890"));
    print("big decimal", new BigDecimal("12.50"));
    print("atomic", new AtomicLong(5));
    print("adder", adder());
    print("constant", TimeUnit.SECONDS);
    print("class", String.class);
    print("longs", (Object) new long[] {1, -1, Long.MAX_VALUE});
    print("strings", (Object) new String[] {"a", null, "a"});
    print("arrays", (Object) new Object[][] {{"a", 1}, {}});
    print("object name", new ObjectName("d:b=\"x,y\",a=1"));
    print("names", new HashSet<>(Arrays.asList(new ObjectName("d:a=1"), new ObjectName("e:a=2"))));
    print("list", new ArrayList<>(Arrays.asList(1, "two", null)));
    print("unmodifiable list", Collections.unmodifiableList(new ArrayList<>(Arrays.asList("a", "b"))));
    TreeMap<String, Object> map = new TreeMap<>();
    map.put("one", 1);
    map.put("two", 2L);
    print("map", map);
    print("child", new Child());
    print("parcel", new Parcel());
    print("proxy", Proxy.newProxyInstance(
        Shapes.class.getClassLoader(), new Class<?>[] {Runnable.class, Comparable.class}, new Handler()));
    Exception thrown = new IllegalStateException("outer", new RuntimeException("inner"));
    thrown.setStackTrace(new StackTraceElement[0]);
    thrown.getCause().setStackTrace(new StackTraceElement[0]);
    print("exception", thrown);
    Object shared = new AtomicLong(1);
    print("shared", (Object) new Object[] {shared, shared, "s", "s"});
    List<Object> cycle = new ArrayList<>();
    cycle.add(cycle);
    print("cycle", cycle);
    print("composite", usage("eden", 1, null));
    TabularDataSupport table = new TabularDataSupport(
        new TabularType("Table", "rows by name", usageType(), new String[] {"name"}));
    table.put(usage("eden", 1, 2L));
    table.put(usage("old", 3, null));
    print("table", table);
  }

  private static LongAdder adder() {
    LongAdder made = new LongAdder();
    made.add(8);
    return made;
  }

  private static CompositeType usageType() throws Exception {
    String[] names = {"name", "used", "max"};
    OpenType<?>[] types = {SimpleType.STRING, SimpleType.LONG, SimpleType.LONG};
    return new CompositeType("Usage", "used and max", names, names, types);
  }

  private static CompositeDataSupport usage(String name, long used, Long max) throws Exception {
    return new CompositeDataSupport(
        usageType(), new String[] {"name", "used", "max"}, new Object[] {name, used, max});
  }
}
