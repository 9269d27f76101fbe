import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** What Java's own engine makes of patterns and subjects: a line per pair, groups between tabs, or - for no match. */
public final class Matcher {
    public static void main(String[] arguments) throws Exception {
        List<String> patterns = Files.readAllLines(Path.of(arguments[0]), StandardCharsets.UTF_8);
        List<String> subjects = Files.readAllLines(Path.of(arguments[1]), StandardCharsets.UTF_8);
        StringBuilder all = new StringBuilder();
        for (String text : patterns) {
            Pattern pattern = Pattern.compile("^.*(?:" + text + ").*$");
            for (String subject : subjects) {
                java.util.regex.Matcher found = pattern.matcher(subject);
                if (!found.matches()) {
                    all.append('-');
                } else {
                    for (int group = 1; group <= found.groupCount(); group++) {
                        all.append('\t').append(found.group(group));
                    }
                }
                all.append('\n');
            }
        }
        Files.writeString(Path.of(arguments[2]), all, StandardCharsets.UTF_8);
    }
}
