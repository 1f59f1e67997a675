<?php
/** German. WordPress reads this file. A key is a text of the code, after its context and \4 if it has one. */

declare(strict_types=1);

return ['messages' => [
    // pages of a new shop
    'Chosen with care, and sent to your door.' => 'Mit Sorgfalt ausgesucht und zu Ihnen nach Hause geliefert.',
    'See all products' => 'Alle Produkte ansehen',
    'From our shop' => 'Aus unserem Shop',
    'What is new, and what we like best.' => 'Neues und was uns am besten gefällt.',
    'How to order' => 'So bestellen Sie',
    'Choose' => 'Aussuchen',
    'Put what you like into the cart. You need no account.'
        => 'Legen Sie in den Warenkorb, was Ihnen gefällt. Sie brauchen kein Konto.',
    'Order' => 'Bestellen',
    'Enter your address, and choose how you pay.' => 'Geben Sie Ihre Adresse ein und wählen Sie, wie Sie zahlen.',
    'Receive' => 'Erhalten',
    'We pack your order with care, and send it to you.'
        => 'Wir packen Ihre Bestellung mit Sorgfalt und senden sie Ihnen zu.',
    'Sample product' => 'Beispielprodukt',
    'A vase with twigs' => 'Eine Vase mit Zweigen',
    'This is an example. It shows how a product looks. Change it, or delete it.'
        => 'Das ist ein Beispiel. Es zeigt, wie ein Produkt aussieht. Ändern oder löschen Sie es.',
    "Page title\4Home" => 'Startseite',
    "Page title\4Terms and conditions" => 'Allgemeine Geschäftsbedingungen',
    "Page title\4Privacy policy" => 'Datenschutzerklärung',
    "Page title\4Returns" => 'Widerruf und Rückgabe',
    "Page title\4Imprint" => 'Impressum',

    // errors
    'This shop can\'t save anything at the moment. Please try again later.'
        => 'Dieser Shop kann gerade nichts speichern. Bitte versuchen Sie es später noch einmal.',

    // dashboard
    'Your shop sells. What is left for you' => 'Ihr Shop verkauft. Das bleibt für Sie zu tun',
    'Your shop is closed. What is left for you' => 'Ihr Shop ist geschlossen. Das bleibt für Sie zu tun',
    'Open your shop' => 'Öffnen Sie Ihren Shop',
    'Visitors see “coming soon”: you can set the shop live.'
        => 'Besucher sehen „Demnächst“: Sie können den Shop freischalten.',
    'Add your first product' => 'Legen Sie Ihr erstes Produkt an',
    'With a picture, a price and a description.' => 'Mit Bild, Preis und Beschreibung.',
    'Delete the sample product' => 'Löschen Sie das Beispielprodukt',
    'It shows how a product looks. Visitors can buy it.'
        => 'Es zeigt, wie ein Produkt aussieht. Besucher können es kaufen.',
    'Complete and publish the legal pages' => 'Ergänzen und veröffentlichen Sie die rechtlichen Seiten',
    'They are drafts: footer and checkout link to them when they are published.'
        => 'Sie sind Entwürfe: Fußzeile und Kasse verlinken sie, wenn sie veröffentlicht sind.',
    'Let shoppers withdraw online' => 'Lassen Sie Käufer online widerrufen',
    'The EU asks for a withdrawal function. Dismiss this when the shop has one.'
        => 'Die EU verlangt eine Widerrufsfunktion. Blenden Sie dies aus, wenn der Shop eine hat.',
    'Enter your bank account' => 'Tragen Sie Ihr Bankkonto ein',
    'Shoppers see bank transfer when there is an account.'
        => 'Käufer sehen die Überweisung, wenn es ein Konto gibt.',
    'Set your tax rates' => 'Stellen Sie Ihre Steuersätze ein',
    'Taxes are off. Dismiss this if you don\'t charge any.'
        => 'Steuern sind ausgeschaltet. Blenden Sie dies aus, wenn Sie keine berechnen.',
    'Set the price of shipping' => 'Legen Sie den Versandpreis fest',
    'It is free in the country of the shop. Dismiss this if that is right.'
        => 'Im Land des Shops ist der Versand kostenlos. Blenden Sie dies aus, wenn es so bleiben soll.',
    'Replace the monogram with your logo' => 'Ersetzen Sie das Monogramm durch Ihr Logo',
    'Choose a site icon: it becomes the logo, too. Dismiss this to keep it.'
        => 'Wählen Sie ein Website-Icon: es wird auch das Logo. Blenden Sie dies aus, um das Monogramm zu behalten.',
    '“%1$s” is an example. <a href="%2$s">Delete it</a> when you have products of your own.'
        => '„%1$s“ ist ein Beispiel. <a href="%2$s">Löschen Sie es</a>, wenn Sie eigene Produkte haben.',
    'Shoppers see bank transfer when you have entered <a href="%s">your account</a>.'
        => 'Käufer sehen die Überweisung, wenn Sie <a href="%s">Ihr Konto</a> eingetragen haben.',
    'This shop can\'t send mail: the platform has no mail server.'
        => 'Dieser Shop kann keine E-Mails senden: die Plattform hat keinen Mailserver.',
    'You see orders below Orders. Ask those who run the platform for a mail server.'
        => 'Sie sehen Bestellungen unter „Bestellungen“. Bitten Sie die Betreiber der Plattform um einen Mailserver.',
    'Plugins, themes and updates of this shop come from the platform, which tests them.'
        => 'Plugins, Themes und Aktualisierungen dieses Shops kommen von der Plattform, die sie testet.',
    'So nothing can be installed here, and this page doesn\'t ask other servers.'
        => 'Deshalb lässt sich hier nichts installieren, und diese Seite fragt keine anderen Server.',
    '%s was not tried.' => '%s wurde nicht versucht.',
    'Pages of this shop call no other servers.' => 'Seiten dieses Shops rufen keine anderen Server auf.',
]];
