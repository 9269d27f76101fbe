import io.lettuce.core.KeyValue;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.TransactionResult;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** lettuce with its defaults: Lettuce PORT. */
public final class Lettuce {
    private static final String PLUS = "return redis.call('INCRBY', KEYS[1], ARGV[1])";

    private final StatefulRedisConnection<String, String> connection;
    private final RedisCommands<String, String> client;
    private final RedisCommands<String, String> waiter;
    private final LinkedBlockingQueue<String> heard = new LinkedBlockingQueue<>();

    private Lettuce(RedisClient library) {
        connection = library.connect();
        client = connection.sync();
        waiter = library.connect().sync();
        StatefulRedisPubSubConnection<String, String> subscriber = library.connectPubSub();
        subscriber.addListener(new RedisPubSubAdapter<>() {
            @Override
            public void message(String channel, String message) {
                heard.add(message);
            }
        });
        subscriber.sync().subscribe("lettuce:news");
    }

    private void round(long number) throws Exception {
        String text = Long.toString(number);
        Thread.sleep(50); // an application thinks
        Report.same("a settled value", client.get("settled"), "here");
        client.set("lettuce:k", text);
        Report.same("GET", client.get("lettuce:k"), text);
        client.hset("lettuce:h", Map.of("a", text, "b", "x"));
        Report.same("HGETALL", client.hgetall("lettuce:h"), Map.of("a", text, "b", "x"));
        pipeline(text);
        transaction(number, text);
        String[] keys = {"lettuce:sum"};
        Long before = client.eval(PLUS, ScriptOutputType.INTEGER, keys, "0");
        Report.same("script", client.eval(PLUS, ScriptOutputType.INTEGER, keys, "2"), before + 2);
        client.hset("lettuce:job:" + text, "payload", text);
        client.rpush("lettuce:jobs", text);
        KeyValue<String, String> popped = waiter.blpop(5, "lettuce:jobs");
        String job = popped.getValue();
        Report.same("the job's data", client.hget("lettuce:job:" + job, "payload"), job);
        client.del("lettuce:job:" + job);
        message(text);
    }

    private void pipeline(String text) throws Exception {
        RedisAsyncCommands<String, String> sender = connection.async();
        List<RedisFuture<String>> answers = new ArrayList<>();
        for (int place = 0; place < 10; place++) {
            sender.set("lettuce:p" + place, text);
            answers.add(sender.get("lettuce:p" + place));
        }
        for (RedisFuture<String> answer : answers) {
            Report.same("pipeline", answer.get(20, TimeUnit.SECONDS), text);
        }
    }

    private void transaction(long number, String text) {
        client.multi();
        try {
            client.set("lettuce:t", text);
            client.incr("lettuce:t");
        } catch (RuntimeException error) {
            client.discard();
            throw error;
        }
        TransactionResult results = client.exec();
        Report.same("EXEC", List.of(results.get(0), results.get(1)), List.of("OK", number + 1));
    }

    private void message(String text) throws InterruptedException {
        if (client.publish("lettuce:news", text) == 0) {
            return; // the subscription is being made anew
        }
        String got = heard.poll(2, TimeUnit.SECONDS);
        while (got != null && !got.equals(text)) {
            got = heard.poll(2, TimeUnit.SECONDS);
        }
    }

    public static void main(String[] words) {
        RedisClient library = RedisClient.create("redis://127.0.0.1:" + words[0]);
        Lettuce rounds = new Lettuce(library);
        Report.rounds(rounds::round);
        library.shutdown(0, 1, TimeUnit.SECONDS);
    }
}
