import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.JedisPooled;
import redis.clients.jedis.Response;

/** jedis with its defaults: JedisRounds PORT. */
public final class JedisRounds {
    private static final String PLUS = "return redis.call('INCRBY', KEYS[1], ARGV[1])";

    private JedisRounds() {}

    private static void round(JedisPooled client, long number) throws InterruptedException {
        String text = Long.toString(number);
        Thread.sleep(50); // an application thinks
        Report.same("a settled value", client.get("settled"), "here");
        client.set("jedis:k", text);
        Report.same("GET", client.get("jedis:k"), text);
        client.hset("jedis:h", Map.of("a", text, "b", "x"));
        Report.same("HGETALL", client.hgetAll("jedis:h"), Map.of("a", text, "b", "x"));
        try (AbstractTransaction transaction = client.multi()) {
            transaction.set("jedis:t", text);
            Response<Long> sum = transaction.incr("jedis:t");
            transaction.exec();
            Report.same("EXEC", sum.get(), number + 1);
        }
        List<Response<String>> answers = new ArrayList<>();
        try (AbstractPipeline pipeline = client.pipelined()) {
            for (int place = 0; place < 10; place++) {
                pipeline.set("jedis:p" + place, text);
                answers.add(pipeline.get("jedis:p" + place));
            }
            pipeline.sync();
        }
        for (Response<String> answer : answers) {
            Report.same("pipeline", answer.get(), text);
        }
        List<String> keys = Collections.singletonList("jedis:sum");
        long before = (Long) client.eval(PLUS, keys, List.of("0"));
        Report.same("script", client.eval(PLUS, keys, List.of("2")), before + 2);
        client.hset("jedis:job:" + text, "payload", text);
        client.rpush("jedis:jobs", text);
        String popped = client.blpop(5, "jedis:jobs").get(1);
        Report.same("the job's data", client.hget("jedis:job:" + popped, "payload"), popped);
        client.del("jedis:job:" + popped);
    }

    public static void main(String[] words) {
        try (JedisPooled client = new JedisPooled("127.0.0.1", Integer.parseInt(words[0]))) {
            Report.rounds(number -> round(client, number));
        }
    }
}
