import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import javax.management.Attribute;
import javax.management.AttributeList;
import javax.management.AttributeNotFoundException;
import javax.management.DynamicMBean;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanInfo;
import javax.management.ObjectName;

/** MBeans with constant values, from a file: name TAB attribute|description=kind:value TAB … */
public final class Constant implements DynamicMBean {
    private final Map<String, Object> values = new LinkedHashMap<>();
    private final Map<String, String> descriptions = new LinkedHashMap<>();

    private Constant(String[] cells) {
        for (int i = 1; i < cells.length; i++) {
            String[] parts = cells[i].split("=", 2);
            String[] named = parts[0].split("\\|", 2);
            String[] value = parts[1].split(":", 2);
            values.put(named[0], parsed(value[0], value[1]));
            descriptions.put(named[0], named.length > 1 ? named[1] : null);
        }
    }

    private static Object parsed(String kind, String text) {
        switch (kind) {
            case "l": return Long.valueOf(text);
            case "d": return Double.valueOf(text);
            case "f": return Float.valueOf(text);
            case "bd": return new BigDecimal(text);
            default: return text.replace("\\n", "\n");
        }
    }

    @Override
    public Object getAttribute(String name) throws AttributeNotFoundException {
        if (!values.containsKey(name)) {
            throw new AttributeNotFoundException(name);
        }
        return values.get(name);
    }

    @Override
    public AttributeList getAttributes(String[] names) {
        AttributeList found = new AttributeList();
        for (String name : names) {
            if (values.containsKey(name)) {
                found.add(new Attribute(name, values.get(name)));
            }
        }
        return found;
    }

    @Override
    public MBeanInfo getMBeanInfo() {
        MBeanAttributeInfo[] infos = values.entrySet().stream()
            .map(e -> new MBeanAttributeInfo(
                e.getKey(), e.getValue().getClass().getName(), descriptions.get(e.getKey()), true, false, false))
            .toArray(MBeanAttributeInfo[]::new);
        return new MBeanInfo("Constant", "constant", infos, null, null, null);
    }

    @Override
    public void setAttribute(Attribute attribute) {
        throw new UnsupportedOperationException();
    }

    @Override
    public AttributeList setAttributes(AttributeList attributes) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Object invoke(String name, Object[] arguments, String[] signature) {
        throw new UnsupportedOperationException();
    }

    public static void main(String[] arguments) throws Exception {
        for (String line : Files.readAllLines(Path.of(arguments[0]), StandardCharsets.UTF_8)) {
            if (!line.isBlank() && !line.startsWith("#")) {
                String[] cells = line.split("\t");
                ManagementFactory.getPlatformMBeanServer().registerMBean(new Constant(cells), new ObjectName(cells[0]));
            }
        }
        System.out.println("ready");
        new CountDownLatch(1).await();
    }
}
